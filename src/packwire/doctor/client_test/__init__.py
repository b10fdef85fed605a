"""The tables turned: a client under suspicion connects, and packwire plays the hub and the device.

`replies` makes replies of any length, `trials` says how each is sent, `plan` which comes next, `reactions`
what the client did, `judge` and `lengths` what it means (`verdict`); `server` sends and watches. All but the
last are pure.
"""
