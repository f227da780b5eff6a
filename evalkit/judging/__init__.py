"""Judges: from a pair of answers to a question, from a reply to a verdict, from verdicts to an outcome. Pure.

definition   what a judge is: judges/*.yaml, read and checked
templates    the sandbox in which its words are rendered
material     how prompts and answers travel: JSON between markers, as data
pairing      answers → comparisons, in both orders
asking       comparison → requests
reading      responses → verdict, or why not
replies      the parsers behind `reading`
outcomes     verdicts → outcomes: the one place that undoes the swap
reward       length control of implicit rewards
manipulation flags for answers that address the judge instead of the person who asked
"""
