"""Simulated VESC devices and an imitation of the known TCP hub, on real sockets, with faults to order.

    from packwire.sim.server import SimOptions, SimulatedVesc

    async with SimulatedVesc(SimOptions(scenario="ride")) as sim:
        print(sim.address)  # vesc://127.0.0.1:41234

What the client is tested against, and what `packwire sim` and `packwire read sim:vesc` start.
"""
