"""Clients of a VESC as people write them, as programs: any architecture with any bug.

    python -m tests.doctor.clients ARCHITECTURE BUG HOST PORT [--login ID:PASSWORD] [--poll 60,222a04] ...

They use nothing of packwire: what they get wrong, and right, is their own. At the end a program says in one
line of JSON what it asked, took and gave up.
"""
