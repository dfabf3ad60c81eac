"""Spark: the same deciding on a cluster's machines, chunk by chunk, in the order of the source.

What a run calls in place of its own processes (`--engine spark`) is `opening.decided_on(cluster, bench, chunks)`: in
every Python worker of the cluster `serving.backlog.workers.open_worker` is called once, and what it returns for each
chunk. Only whole chunks come back, in their order, so the run's own ledger makes it resumable.
`opening.open_table(cluster, place, order)` reads a table of the cluster as a `Source`, `opening.publish` writes one.
"""
