"""One VESC for many clients at once: each request is paired with its reply, and only reading passes."""
