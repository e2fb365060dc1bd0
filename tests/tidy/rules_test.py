# SPDX-License-Identifier: MIT
"""Each rule refuses a small tree that breaks it, and takes the same tree without the fault."""

import rules


def tree(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def refused(rule, root, files):
    return [violation.where for violation in rule(tree(root, files))]


def cpp_function(lines, head="void f()"):
    return f"{head} {{\n" + "  g();\n" * (lines - 2) + "}\n"


def test_a_file_has_at_most_400_lines(tmp_path):
    files = {
        "common/base/long.cpp": "\n" * (rules.FILE_LINES + 1),
        "common/base/fits.cpp": "\n" * rules.FILE_LINES,
        "streamd/web/long.js": "\n" * (rules.FILE_LINES + 1),
        "tests/unit/long_test.cpp": "\n" * (rules.FILE_LINES + 1),
    }
    assert refused(rules.file_lines, tmp_path, files) == [
        "common/base/long.cpp",
        "streamd/web/long.js",
        "tests/unit/long_test.cpp",
    ]


def test_a_function_has_at_most_60_lines(tmp_path):
    longest, over = rules.FUNCTION_LINES, rules.FUNCTION_LINES + 1
    files = {
        "common/base/a.cpp": "namespace auralis {\n" + cpp_function(over, "int A::f(int x) const") + "}\n",
        "common/base/b.cpp": cpp_function(longest) + cpp_function(longest),
        "common/base/c.h": "class C {\n public:\n" + cpp_function(over, "C() : a_{1}, b_(2)") + "};\n",
        "common/base/d.h": "constexpr int kTable[] = {\n" + "1,\n" * over + "};\n",
        "common/base/e.cpp": 'void f() { char c = \'{\'; s = "{"; /* { */ }\n' + cpp_function(over, "void g()"),
        "streamd/web/a.js": cpp_function(over, "export function f(a, b)"),
        "streamd/web/b.js": cpp_function(over, "const f = async (page) =>"),
        "bench/a.py": "def f():\n" + "    g()\n" * over,
    }
    assert refused(rules.function_lines, tmp_path, files) == [
        "bench/a.py:f",
        "common/base/a.cpp:A::f",
        "common/base/c.h:C",
        "common/base/e.cpp:g",
        "streamd/web/a.js:f",
        "streamd/web/b.js:async",
    ]


def test_a_foreign_header_is_included_where_it_belongs_alone(tmp_path):
    files = {
        "streamd/api/messages_in.cpp": "#include <nlohmann/json.hpp>\n",
        "streamd/control/worker.cpp": "#include <nlohmann/json.hpp>\n#include <string>\n",
        "streamd/control/upload.cpp": "#include <curl/curl.h>\n#include <sys/socket.h>\n",
        "common/base/log.h": "#include <boost/optional.hpp>\n",
        "metricsd/http_server.cpp": "#include <boost/asio/write.hpp>\n",
    }
    assert refused(rules.foreign_headers, tmp_path, files) == [
        "common/base/log.h",
        "streamd/control/upload.cpp",
        "streamd/control/worker.cpp",
    ]


def test_includes_point_downwards(tmp_path):
    files = {
        "common/base/text.h": '#include "common/metrics/metrics.h"\n',
        "common/config/config.cpp": '#include "common/segments/segment.h"\n',
        "common/metrics/metrics.cpp": '#include "common/metrics/metrics.h"\n#include "common/base/text.h"\n',
        "common/access/ticket.cpp": '#include "streamd/api/messages.h"\n',
        "streamd/encode/frame.cpp": '#include "streamd/stream_metrics.h"\n#include "streamd/encode/frame.h"\n',
        "streamd/encode/wire.cpp": '#include "streamd/stream_server.h"\n',
        "streamd/net/acceptor.cpp": '#include "streamd/control/worker.h"\n',
        "streamd/control/worker.cpp": '#include "streamd/net/acceptor.h"\n#include "embedded/index_html.h"\n',
        "synthd/engine/dsp/pad.cpp": '#include "synthd/engine/stages.h"\n',
        "synthd/engine/engine.cpp": '#include "synthd/station.h"\n',
        "synthd/station.cpp": '#include "metricsd/own_metrics.h"\n',
        "synthd/station.h": "",
        "synthd/unheard_of/a.cpp": "",
        "tools/load/run.cpp": '#include "tools/arguments.h"\n#include "streamd/encode/frame.h"\n',
        "tools/render/run.cpp": '#include "tools/load/run.h"\n',
    }
    assert refused(rules.layers, tmp_path, files) == [
        "common/access/ticket.cpp",
        "common/base/text.h",
        "common/config/config.cpp",
        "streamd/encode/wire.cpp",
        "streamd/net/acceptor.cpp",
        "synthd/engine/engine.cpp",
        "synthd/station.cpp",
        "synthd/unheard_of/a.cpp",
        "tools/render/run.cpp",
    ]


def test_units_do_not_include_each_other_in_circles(tmp_path):
    files = {
        "common/base/a.cpp": '#include "common/base/a.h"\n#include "common/base/b.h"\n',
        "common/base/a.h": "",
        "common/base/b.h": '#include "common/base/c.h"\n',
        "common/base/c.cpp": '#include "common/base/a.h"\n',
        "common/base/d.cpp": '#include "common/base/a.h"\n',
    }
    assert refused(rules.circles, tmp_path, files) == ["common/base/a", "common/base/b", "common/base/c"]


def test_a_source_has_a_unit_test_in_the_mirrored_folder(tmp_path):
    files = {
        "synthd/main.cpp": "",
        "common/base/a.cpp": "",
        "common/base/a.h": "",
        "common/base/b.cpp": "",
        "common/base/b.h": "",
        "streamd/control/c.cpp": '#include "streamd/control/whole.h"\n',
        "streamd/control/whole.h": "",
        "common/base/d.cpp": "",
        "common/base/d.h": "",
        "tests/unit/common/base/a_test.cpp": '#include "common/base/a.h"\n#include "common/base/d.h"\n',
        "tests/unit/streamd/api/b_test.cpp": '#include "common/base/b.h"\n',
        "tests/unit/streamd/control/whole_test.cpp": '#include "streamd/control/whole.h"\n',
    }
    assert refused(rules.unit_tests, tmp_path, files) == ["common/base/b.cpp", "common/base/d.cpp"]


def test_prose_is_plain(tmp_path):
    files = {
        "README.md": "It begins anew.\n",
        "common/a.h": "// For whoever asks.\nbool begins_anew();\n",
        "docs/fine.md": "It starts again.\n",
    }
    assert refused(rules.plain_words, tmp_path, files) == ["README.md", "common/a.h"]
