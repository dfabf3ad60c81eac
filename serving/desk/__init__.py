"""The desk: pages for operators, data staff and chiefs, and a panel for existing agent desktops."""
