# SPDX-License-Identifier: MIT
"""docs/operations.md says of each block of commands that scripts/test-deploy runs it, or why not."""

import re
import unittest

import staging

FENCE = re.compile(r"^```(\w.*)$", re.M)
MARK = re.compile(r'sh (?:tested=([\w-]+)|untested="[^"]+")')


class Operations(unittest.TestCase):
    def setUp(self):
        self.fences = FENCE.findall((staging.SOURCE_DIR / "docs/operations.md").read_text(encoding="utf-8"))
        trials = (staging.SOURCE_DIR / "tests/deploy/trials").glob("*.py")
        self.trials = "".join(path.read_text(encoding="utf-8") for path in trials)

    def test_each_block_is_marked(self):
        self.assertEqual([fence for fence in self.fences if not MARK.fullmatch(fence)], [])

    def test_each_block_that_is_said_to_be_tested_is_run_by_a_trial(self):
        tested = [MARK.fullmatch(fence)[1] for fence in self.fences if MARK.fullmatch(fence)[1]]
        self.assertGreater(len(tested), 8)
        for name in tested:
            self.assertIn(f'"{name}"', self.trials.replace("'", '"'))


if __name__ == "__main__":
    unittest.main()
