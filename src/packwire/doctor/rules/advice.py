"""What several rules advise."""

CLIENT_TEST = "packwire doctor --my-client 65101"
TAKES_ANYTHING = (
    "packwire reads it all the same. Another client must collect bytes until a whole frame with a right "
    f"checksum is there, whatever comes before, between or with it. Whether yours does: {CLIENT_TEST}"
)
