"""The journal: what is acknowledged is written first, many writers' rows in one transaction."""
