"""Sentences in the first person that tell nothing: greetings, work for the agent, states of the moment.

What is worth keeping is found by leaving out what is not. A list of the verbs of facts would never be complete.
"""

from __future__ import annotations

import re
from typing import Final

from stead.memory.facts.words import FUNCTION_WORDS, word_set, words_of

_I: Final = r"(?:i|we)(?: just| also| really| still| actually| only| then| now| already)?"
_IM: Final = (
    r"(?:i'm|i am|im|we're|we are)(?: just| also| really| still| actually| only| now|"
    r" currently| so| very| a bit| a little| totally| kind of)?"
)
_WANT: Final = (
    rf"(?:{_I} (?:want|wanted|need|needed|have|got|would like|'d like|would love|wish)|(?:i|"
    rf"we)'(?:d|ve) (?:just |really )?(?:like|love|got)|{_IM} (?:trying|hoping|planning|going|"
    r"here))"
)
_ARTEFACT: Final = (
    r"(?:emails?|e-mails?|message|letter|function|script|regex|query|summary|list|table|"
    r"example|code|answers?|response|explanation|recipes?|"
    r"translation|version|paragraph|sentence|essay|poem|story|outline|template|prompt|command|"
    r"link|file|document|report|presentation|slides?|"
    r"spreadsheet|formula|definition|quote|quotes|caption|title|name for|bug|tests?|api|"
    r"endpoint|component|class|method|loop|dataframe|csv|json|"
    r"table of|overview|comparison|description|review|logo|cover letter|itinerary|schedule|"
    r"meal plan|tutorial|guide|steps|tips|advice|ideas?|plan|"
    r"help|assistance|suggestions?|recommendations?|info|information|details|clarification|"
    r"guidance|input|feedback|refund|ticket|invoice|receipt)"
)
#: What the first person says without telling anything: work for the agent, talk about the talk, and troubles of
#: the hour. Each is tried at the beginning of a clause.
_IDLE: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            rf"{_I}(?:'d| would)? (?:want|need|like|would like|expect|ask|asked|told|order|"
            r"beg|"
            r"trust|love|hate|thank|hear|see|owe|bet|miss)(?: for)? (?:it |that )?you\b"
        ),
        r"(?:i|we)'d (?:like|love|want|need|prefer) (?:for )?you\b",
        (
            rf"{_WANT} (?:some |a little |a bit of |your |more |any |another |a |an |the |"
            r"to see |to get |to find |to have |to write |to make |to create |"
            r"to generate |to send |to draft |to build |to run |to fix |to debug |to add |"
            r"to read |this |that |for |quick |short |simple |new |good |me )"
            rf"{{0,5}}(?:\w+ ){{0,2}}{_ARTEFACT}\b"
        ),
        (
            rf"{_WANT} to (?:know|ask|understand|say|make sure|check|clarify|confirm|hear|"
            r"tell you|talk|chat|discuss|thank|be sure|be clear|add (?:that|one|a|"
            r"something)|"
            r"point|note|mention|start (?:with|by|over)|continue|test|try (?:it|this|that|"
            r"again)|figure|find out|see (?:if|how|what|the|whether|your|some)|"
            r"let you|go back|return to|follow up|report|return|cancel|change my (?:order|"
            r"password)|reset|log ?in|sign (?:in|up)|access|download|upload|install|"
            r"convert|calculate|compute|parse|print|implement|sort|filter|replace|remove|"
            r"delete|update|refactor|compare|translate|rewrite|summari[sz]e|"
            r"use (?:it|this|that)|do (?:it|this|that)|get (?:it|this|that|rid)|"
            r"think about)\b"
        ),
        (
            rf"(?:{_I}|i'?ll|i'?d|we'll) (?:hope (?!to)|wonder|wondered|swear|promise|"
            r"apologi[sz]e|appreciate|agree|disagree|understand|understood|see\b|mean\b|"
            r"meant\b|noticed?|reali[sz]ed?|"
            r"guess|suppose|assume|bet|reckon|doubt|trust|think|thought|figured|feel like|"
            r"feel that|said|told|asked|mentioned|say|ask|tell|repeat|quote|recommend|"
            r"suggest|"
            r"imagine|beg|request|thank|forgot|forget|remember|recall|swear|wish|"
            r"know (?!how to|\b[a-z]+(?:\.|$| and| or| very| really| well|"
            r" a bit)))\b(?! in (?!that|what|you|this))"
        ),
        (
            rf"{_I} know (?:that|this|it|you|what|why|how (?:you|it|this|that)|nothing|"
            r"right|"
            r"enough|better|about (?:it|this|that))\b"
        ),
        (
            r"(?:i|we)(?:'d| would| could)(?! (?:like|love|rather|prefer|never|hate)\b|"
            r" really (?:like|love))"
        ),
        r"(?:i|we) (?:may|shall)\b",
        (
            r"(?:i|we) (?:was|were) (?:thinking|wondering)\b|i (?:have|had|'ve got) nothing\b|"
            r"i read (?:that|somewhere)\b"
        ),
        r"(?:i|we)(?:'ve| have)? changed (?:my|our) minds?\b",
        (
            r"(?:i|we) should (?:mention|note|add|say|probably (?:mention|say)|point|have|"
            r"be (?:able|fine|ok|good)|do (?:that|this|it))\b"
        ),
        (
            r"(?:i|we)(?:'ll| will| am going to|'m going to|'m gonna)(?: just| also| now|"
            r" probably| definitely)? (?:try|check|see|let you|get back|be (?:back|right|"
            r"fine|"
            r"ok|there|honest|happy|sure|able)|take (?:it|that|the|a look|this)|"
            r"do (?:it|that|this|so)|think|wait|go with|have (?:a look|to (?:think|check|"
            r"see))|"
            r"look|read|keep (?:that|it|you|this|in)|pass|need (?:to|you|a|some)|send|share|"
            r"paste|tell|explain|give (?:you|it|that)|ask|"
            r"use (?:it|that|this)|have the|choose|pick|never know|test|copy|run|update you|"
            r"come back|report|provide|show|write|follow|leave it|assume|say)\b"
        ),
        (
            r"(?:i|we)(?:'ve| have)?(?: got| had| just| still| also| only|"
            r" already)* (?:have |"
            r"got |had )?(?:an? |another |some |two |three |few |many |more |no |the |one |"
            r"several |quick |small |other |follow-?up |last |further |similar |same |"
            r"simple |"
            r"weird |strange |different |little )*"
            r"(?:questions?|doubts?|idea|clue|request|favou?r|look at|point|feeling that|"
            r"problems? (?:with (?:this|the|my (?:code|app|script|computer|login|account|"
            r"order|"
            r"internet|wifi|printer|laptop|phone|query)|your))|issues? with|trouble (?:with|"
            r"logging|understanding)|"
            r"errors?|exceptions?|bugs?|typo|no (?:idea|clue|problem|way|choice)|to (?:go|"
            r"say|"
            r"admit|agree|run|disagree|thank|ask|leave|think|wait|confess)|a look|an error|"
            r"following)\b"
        ),
        (
            rf"{_I}(?:'ve| have)?(?: also| just| already)? (?:tried|clicked|pressed|typed|"
            r"pasted|attached|uploaded|copied|restarted|reinstalled|rebooted|refreshed|"
            r"checked|followed|entered|submitted|"
            r"googled|searched|looked (?:at|for|up|into)|read (?:that|your|the|about)|heard|"
            r"saw|seen|found (?:this|that|it|out|an?|the|some)|received|sent|ordered|"
            r"contacted|"
            r"got (?:it|this|that|the|an? (?:error|message|email|warning|reply|response)|"
            r"your|"
            r"you|confused|lost|stuck)|"
            r"get (?:it|this|that|an? (?:error|message|warning)|the|what|why|your)|"
            r"keep getting|(?:ran|run|running) (?:the|this|that|it|your|into|my|npm|pip|"
            r"docker|"
            r"a (?:query|script|test))|(?:call|import|installed|deployed|updated|upgraded|"
            r"compiled|executed|printed|called|changed) (?:the|this|that|it|your|a|an)|"
            r"ran out|was (?:wondering|thinking (?:that|about (?:it|this|that))|asking|told|"
            r"just|hoping|looking at|trying|going to (?:ask|say)|confused|about to|"
            r"referring|"
            r"talking))\b"
        ),
        (
            rf"{_IM}(?: not)? (?:home\b|searching|asking|wondering|calling (?:about|to)|"
            r"writing (?:to|about|this|in|because)|contacting|reaching|talking (?:about|to)|"
            r"referring|running (?:into|the|this)|getting (?:an?|the|this|that|it|error)|"
            r"having (?:trouble|issues?|problems?|an issue|difficult\w+)|"
            r"facing|seeing|using (?:it|this|that|the (?:following|code|command|latest)|"
            r"your)|"
            r"confused|lost|stuck|sure|certain|afraid (?:so|not|that|i)|sorry|listening|"
            r"interested in (?:your|knowing|hearing|learning more|this|that|the)|"
            r"thinking (?:of asking|that|about (?:it|this|that))|"
            r"asking|done|aware|kidding|joking|serious|guessing|assuming|about to|"
            r"supposed to|"
            r"able to (?:log|see|open|access|get|find)|unable to|getting (?:back|to)|"
            r"all (?:set|ears|good)|open to (?:suggestions|ideas|anything)|happy (?:to|with|"
            r"that)|glad|talking|reading (?:this|your|that|the)|"
            r"looking (?:to (?:understand|know|see|find|get|buy)|into|at|forward)|"
            r"(?:looking|"
            r"searching) for (?!(?:an? |my |some |the |our )?(?:\w+ ){0,2}(?:job|work|"
            r"apartment|flat|house|home|room|place to (?:live|rent)|partner|investors?|"
            r"co-?founder|clients|customers|internship|employees?|position|studio)\b)|"
            r"trying to (?:understand|figure|find|get (?!fit|pregnant|healthy|better at|"
            r"in shape|into|up)|make (?:sense|it|this|sure|a)|log|open|install|fix|debug|"
            r"access|connect|see|set ?up|run (?:the|this|a|my (?:code|script))|decide|say|"
            r"write (?:a|an|the|this)|use|build (?:a|an|the|this)|do|create|solve|add|parse|"
            r"call|deploy|help|remember|be (?:nice|polite|funny)))\b"
        ),
        (
            r"(?:i|we)(?: really| just| still| also| honestly)? (?:don't|do not|dont|can't|"
            r"cannot|cant|couldn't|didn't|did not|won't|will not|wouldn't|am not able to|"
            r"haven't|have not|never)(?: really| even| quite| fully| actually| seem to|"
            r" yet)? "
            r"(?:know|understand|think|get|see|remember|believe|mean|agree|wait|tell|figure|"
            r"find|open|access|log|install|run (?:the|this|it|my (?:code|script))|connect|"
            r"load|"
            r"download|upload|print|reproduce|imagine|thank|say|help|stress|decide|recall|"
            r"want (?:you|that|this|it|to (?:bother|be rude|know|talk))|need (?:you|that|"
            r"this|"
            r"it|a|an|help|any|to know)|"
            r"care|mind|have (?:any|a (?:question|clue|preference|problem)|time|the|"
            r"an (?:idea|"
            r"opinion)|anything|questions|enough)|do (?:it|that|this|anything)|ask(?:ed)?|"
            r"said|"
            r"tr(?:y|ied)|heard|thought|notic\w+|expect\w*|receiv\w+|complain|seem|check|"
            r"like (?:it|that|this|your|the (?:answer|first|second|idea))|use (?:it|this|"
            r"that)|"
            r"forget|let|trust you|follow|answer|go (?:there|with)|come up|make (?:it|sense|"
            r"up my)|be)\b(?! about \w| spicy| eating | dairy| gluten)"
        ),
        (
            r"(?:my|our) (?:question|point|guess|bad|apolog\w+|mistake|understanding|"
            r"impression|thoughts? (?:is|are|exactly)|answer|request|(?:last |previous |"
            r"first )?(?:message|prompt)|code|script|function|quer(?:y|ies)|error|output|"
            r"pleasure|input|concern is|program|pull request|"
            r"regex|table|dataframe|build|test|tests|server (?:is|keeps|says)|terminal|"
            r"console|"
            r"file|browser|screen|wifi|internet|order (?:is|has|was|never|still|number)|"
            r"package (?:is|has|was|never|still)|"
            r"prayers|goodness|god|lord|word|eyes|two cents|turn|browser)\b(?!'s name)"
        ),
        (
            r"we (?:can|could|should|need to|have to|must|'ll|will|were|are (?:talking|"
            r"discussing|done|looking|good|using)|see|know|saw|get|got (?:it|this|that)|"
            r"discussed|talked|use (?:it|this)|assume|define|define|let|then|agreed|first|"
            r"now have)\b"
        ),
        r"we(?:'re| are) (?:talking|discussing|done|good|all set|looking at)\b",
        (
            r"i (?:can|am able to)(?: also| still| now| just)? (?:see|do (?:it|that|this)|"
            r"tell|"
            r"provide|send|share|wait|try|confirm|help|understand|give|imagine|say|show|"
            r"explain|access|live with|go with|use (?:it|that|this)|get (?:it|that|this)|"
            r"make it|be)\b"
        ),
        (
            r"i(?:'ve| have)(?: just| also| already)? (?:been (?:trying|wondering|looking|"
            r"asking|waiting|told|having (?:trouble|issues|problems)|getting|"
            r"thinking (?:about (?:it|this|that)|of (?:it|this)))|never (?:heard|seen|"
            r"thought)|"
            r"no |a (?:feeling|hunch))"
        ),
    )
)

#: Verbs, states and things that say nothing by themselves.
_VAGUE: Final = FUNCTION_WORDS | word_set(
    "like love hate want need get got gets getting take took have having see saw think know "
    "feel felt feeling try tried trying do go goes "
    "going went gone come came make made say said use used using tell told ask asked give gave "
    "put keep kept let work works worked "
    "look looking looks find found seem hope guess mean meant agree understand prefer enjoy "
    "dislike wish believe believed wonder "
    "am't want wanted needed needs liked loved bought buy pick choose chose help helps start "
    "started stop stopped wait thing things stuff one ones "
    "way ways option options question questions problem problems issue issues error answer "
    "answers time times moment sec second seconds "
    "minute minutes hour day days today tonight yesterday tomorrow later soon morning first "
    "next last everything something anything nothing everyone someone "
    "anyone fine good great well ok okay better best bad worse worst nice cool happy sad tired "
    "hungry thirsty bored angry excited glad "
    "busy free late early cold hot upset annoyed frustrated nervous worried curious thrilled "
    "grateful thankful impressed "
    "surprised sure certain ready back here done confused lost stuck sorry interested able "
    "welcome right wrong true serious stressed "
    "exhausted alone sleepy lol haha thanks thank im dont cant ive ill id u gonna wanna gotta "
    "already always never ever often "
    "sometimes usually almost enough else away around idea ideas point case kind sort rest "
    "part person people guy girl man woman "
    "totally absolutely completely definitely certainly honestly basically literally pretty "
    "fully simply exactly especially though "
    "until till while whole long big small new old different second third fourth last previous "
    "above below following same wow hmm "
    "check read write run set show appreciate apologize apologise two three four five six "
    "seven eight nine ten somewhere kidding joking moved moving "
    "fan human real new there's leave leaving"
)


def is_idle(clause: str) -> bool:
    """Whether a clause in the first person tells nothing that would matter tomorrow."""
    return any(pattern.match(clause) for pattern in _IDLE) or not any(
        word not in _VAGUE and (len(word) > 1 or word.isdigit()) for word in words_of(clause)
    )
