# SPDX-License-Identifier: MIT
"""Every chunk due to a listener is sent, dropped or queued: the counters on /metrics add up."""

import pytest

from auralis import books, eventually
from listener import JSON, PCM, SMALL_BUFFER

SCRAPES = 50

SETTINGS = {"AURALIS_STREAMD_MAX_BACKLOG_MS": "500"}


def balanced_scrape(stack):
    """The last of many scrapes: chunks and connections add up in each of them."""
    for _ in range(SCRAPES):
        scrape = stack.scrape()
        due, became = books(scrape)
        assert due == became
        connected = scrape.value("websocket_active_connections") + scrape.total("websocket_disconnections_total")
        assert scrape.value("websocket_connections_total") == connected
        assert scrape.total("auralis_listeners") == scrape.value("websocket_active_connections")
    return scrape


def without_listeners(stack):
    """A scrape without listeners, when nothing may be queued."""
    eventually(lambda: stack.metric("websocket_active_connections") == 0, "all listeners gone")
    return stack.scrape()


def test_the_books_add_up_while_listeners_come_and_go(stack, listen):
    for protocol in (PCM, JSON, PCM, JSON):
        listener = listen(protocol)
        balanced_scrape(stack)
        listener.wait_for_more(5)
        balanced_scrape(stack)
    listener.close()
    balanced_scrape(stack)


def test_the_books_add_up_while_a_listener_is_slow(stack, listen):
    dropped = stack.metric("websocket_chunks_dropped_total", reason="backlog")
    slow = listen(PCM, receive_buffer=SMALL_BUFFER)
    slow.pause()
    eventually(
        lambda: stack.metric("websocket_chunks_dropped_total", reason="backlog") > dropped + 2, "chunks dropped"
    )
    assert balanced_scrape(stack).value("auralis_chunks_queued") > 0


def test_the_books_are_settled_once_all_have_left(stack, listen):
    before = without_listeners(stack)
    listeners = [listen(protocol) for protocol in (PCM, JSON, PCM)]
    for listener in listeners:
        listener.wait_for_more(10)
    for listener in listeners:
        listener.close()
    after = without_listeners(stack)

    due, became = books(after)
    assert due == became
    assert after.value("auralis_chunks_queued") == 0
    sent = after.value("websocket_chunks_sent_total") - before.value("websocket_chunks_sent_total")
    assert sum(len(listener.chunks) for listener in listeners) <= sent
    assert after.value("websocket_connections_total") - before.value("websocket_connections_total") == 3
    assert after.value("websocket_connections_total") == after.total("websocket_disconnections_total")
    assert after.value("websocket_connection_duration_seconds_count") == after.total("websocket_disconnections_total")


def test_sent_and_received_chunks_are_equal(stack, listen):
    before = without_listeners(stack)
    listeners = [listen(protocol) for protocol in (PCM, JSON, PCM)]
    for listener in listeners:
        listener.wait_for_more(10)
    # The server closes, so that everything it sent arrives before the end; the next one continues its counters.
    stack.daemons["streamd"].terminate()
    assert stack.daemons["streamd"].exit_status() == 0
    for listener in listeners:
        listener.wait_until_closed()
    stack.daemons["streamd"].start()
    stack.wait_until_ready()
    after = without_listeners(stack)

    sent = after.value("websocket_chunks_sent_total") - before.value("websocket_chunks_sent_total")
    assert sent == sum(len(listener.chunks) for listener in listeners)
    due, became = books(after)
    assert due == became

    def disconnected(scrape, reason):
        return scrape.value("websocket_disconnections_total", reason=reason)

    # Each was counted before streamd ended: to the next one, others would be those of a crash.
    assert disconnected(after, "drain") - disconnected(before, "drain") == len(listeners)
    assert disconnected(after, "crash") == disconnected(before, "crash")


def test_the_books_add_up_after_a_kill(stack, listen):
    slow = listen(PCM, receive_buffer=SMALL_BUFFER)
    slow.pause()
    eventually(lambda: stack.metric("auralis_chunks_queued") > 2, "chunks queued")
    stack.daemons["streamd"].kill()
    stack.daemons["streamd"].start()
    stack.wait_until_ready()
    after = without_listeners(stack)

    # The chunks that the killed one had queued were not sent.
    due, became = books(after)
    assert due == became
    assert after.value("websocket_connections_total") == after.total("websocket_disconnections_total")
    assert after.value("websocket_disconnections_total", reason="crash") > 0
    # How long the listeners of the killed one were connected is known together, not of each.
    assert after.value("websocket_connection_duration_seconds_count") == after.total("websocket_disconnections_total")
    seconds = after.total("auralis_listener_seconds_total")
    assert seconds == pytest.approx(after.value("websocket_connection_duration_seconds_sum"))
