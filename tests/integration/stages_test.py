# SPDX-License-Identifier: MIT
"""How long the stages of the audio path take, and how late the loops of synthd and streamd run."""

import time

import pytest

from auralis import eventually
from listener import JSON, OPUS, PCM

STAGES = ("compose", "render", "publish", "copy", "encode", "send")


def test_each_stage_is_measured_while_music_is_heard(stack, listen):
    name = "auralis_stage_latency_ms_count"
    before = {stage: stack.metric(name, stage=stage) for stage in STAGES}
    for protocol in (PCM, JSON, OPUS):
        listen(protocol).wait_for_more(5)
    for stage in STAGES:
        eventually(lambda: stack.metric(name, stage=stage) > before[stage], f"the stage {stage}")


def test_the_realtime_factor_is_there_while_music_is_rendered(stack):
    assert eventually(lambda: stack.metric("auralis_realtime_factor"), "the factor") > 0


@pytest.mark.parametrize("process", ["synthd", "streamd"])
def test_a_loop_that_was_held_up_shows_how_late_it_ran(stack, process):
    name = "auralis_wakeup_latency_ms"

    def late():
        scrape = stack.scrape()
        return scrape.value(f"{name}_count", process=process) - scrape.value(f"{name}_bucket", process=process, le="500")

    before = late()
    daemon = stack.daemons[process]
    daemon.hang()
    time.sleep(1)
    daemon.go_on()
    eventually(lambda: late() > before, "one wakeup later than 500 ms")
