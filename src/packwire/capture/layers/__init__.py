"""Protocol layers, from the link up: each takes the columns of the layer below and gives its own.

What a layer leaves out is counted by reason, in words for a user, so that nothing vanishes silently. Which of
them a recording needs, its link types say: see `packwire.capture.links`.
"""
