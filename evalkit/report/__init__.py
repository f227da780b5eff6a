"""What people read: the HTML report, its twins on the terminal and in Markdown, figures for papers, the leaderboard.

Everything here is pure: records in, text or bytes out. Every figure shown comes from results.json (docs/results.md),
through `view.View`; nothing is estimated here.
"""
