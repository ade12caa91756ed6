import os
import signal
import threading

import pytest

from latax.train.interrupt import Interruption, watch_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_the_handlers_come_back(number):
    before = signal.getsignal(number)
    with watch_signals() as signals:
        assert signals.received == 0
        os.kill(os.getpid(), number)
        assert signals.received == number
    assert signal.getsignal(number) is before


def test_only_a_second_ctrl_c_interrupts_at_once():
    with watch_signals() as signals:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert signals.received == signal.SIGTERM
    with watch_signals():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_another_thread_leaves_the_signals_alone():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with watch_signals() as signals:
            seen.append((signals.received, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(0, before)]


def test_the_message_says_how_to_go_on(tmp_path):
    assert str(Interruption(15, 3, 10, tmp_path)) == f"Stopped at step 3 of 10; go on with `latax resume {tmp_path}`."
    assert str(Interruption(2, 3, 10, None)) == "Stopped at step 3 of 10; without a run folder nothing is kept."
    assert Interruption(15, 3, 10, tmp_path).signal == 15
