"""Comparing the session of a client that works with one of a client that does not.

Two captures are taken apart into sessions, the sessions are aligned by what is asked, and what is wrong with
one of them is told from its bytes, its pauses, and the other one. Pure functions: nothing here reads files.
"""
