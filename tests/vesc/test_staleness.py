"""When a BMS's values count as old: they do not move though the motor does, or for the time the user set."""

from packwire.vesc.staleness import StaleWatch


def watch_for(stale_after, moments):
    """Feed (time, payload, motor current); return the verdicts."""
    watch = StaleWatch(stale_after)
    verdicts = []
    for now, payload, amperes in moments:
        watch.motor_current("can/84", amperes)
        verdicts.append(watch.judge(payload, now))
    return verdicts


def test_frozen_values_while_the_motors_current_moves():
    verdicts = watch_for(None, [(t, b"same", 5.0 * (t % 3)) for t in range(8)])
    assert verdicts[0] == ""
    assert "while the motor's input current moved by 10.0 A" in verdicts[-1]


def test_frozen_values_while_nothing_happens_are_a_pack_at_rest():
    assert not any(watch_for(None, [(t, b"same", 0.2) for t in range(1000)]))


def test_moving_values_are_fresh():
    assert not any(watch_for(1.0, [(t * 0.1, b"%d" % t, 5.0 * (t % 3)) for t in range(100)]))


def test_the_time_that_the_user_set():
    verdicts = watch_for(10.0, [(t, b"same", 0.0) for t in range(12)])
    assert verdicts[9] == ""
    assert verdicts[10] == "no value of the BMS has moved for 10 s"


def test_fresh_again_when_something_moves():
    moments = [(t, b"same", 5.0 * (t % 3)) for t in range(8)] + [(8, b"new", 3.0)]
    assert watch_for(None, moments)[-1] == ""


def test_a_few_quick_readings_between_two_updates_are_no_proof():
    assert not any(watch_for(None, [(t * 0.1, b"same", 5.0 * (t % 3)) for t in range(20)]))
