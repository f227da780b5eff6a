"""Judges: from a pair of answers to a question, from a reply to a verdict, from verdicts to an outcome. Pure.

Read in this order:
    definition     what a judge is: judges/*.yaml (`kind`; `form`, what it fills in; `checks`, what can be wrong)
    templates      the sandbox in which its words are rendered
    material       how prompts and answers travel: JSON between markers, as data
    pairing        answers → comparisons, in both orders
    asking         comparison → requests
    reading        responses → verdict, or why not (`replies`, the parsers; `verdict_words`)
    reward         length control of implicit rewards
    rates          what was noted of single answers, as shares
    outcomes       verdicts → outcomes: the one place that undoes the swap

And beside it:
    manipulation   flags for answers that address the judge instead of the person who asked
    families       which judge is related to which model it judges
    human          labels of people (`calibration`: judges held against them)
    sample         a pair to look at before anything is asked
"""
