"""Several runs side by side: are they comparable, which is better, may it be released, who leads. Pure.

comparable  what keeps two runs from being compared
scores      the scores of many runs on the same axes
compare     two candidates, paired
gate        pass, fail or cannot tell
board       many candidates in one table; `anchored` places them on people's scale
"""
