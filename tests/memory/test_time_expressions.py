"""The times that people name. Asked, unless a row says otherwise, on Wednesday 14 June 2023 at 15:30 UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stead.memory.time_expressions import Period, find_event, find_period

NOW = datetime(2023, 6, 14, 15, 30, tzinfo=UTC)
MET = datetime(2022, 11, 5, 9, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

# question | start | end; "-" is open
PERIODS = """
What did I say yesterday? | 2023-06-13 | 2023-06-14
What did I do the day before yesterday? | 2023-06-12 | 2023-06-13
What did we talk about a couple of weeks ago? | 2023-05-24 | 2023-06-08
What did we talk about three weeks ago? | 2023-05-21 | 2023-05-28
a week ago | 2023-06-04 | 2023-06-11
two months ago | 2023-03-30 | 2023-04-30
Where was I a year ago? | 2021-12-14 | 2022-12-15
a year and a half ago | 2021-06-14 | 2022-06-15
two and a half years ago | 2020-06-14 | 2021-06-15
3 days ago | 2023-06-11 | 2023-06-12
Where did I go last May? | 2023-05-01 | 2023-06-01
last June | 2022-06-01 | 2022-07-01
last summer | 2022-06-01 | 2022-09-01
this summer | 2023-06-01 | 2023-09-01
last Monday | 2023-06-12 | 2023-06-13
last Friday | 2023-06-09 | 2023-06-10
this Friday | 2023-06-16 | 2023-06-17
next Friday | 2023-06-23 | 2023-06-24
last weekend | 2023-06-10 | 2023-06-12
this weekend | 2023-06-10 | 2023-06-12
next month | 2023-07-01 | 2023-08-01
last month | 2023-05-01 | 2023-06-01
last year | 2022-01-01 | 2023-01-01
What did I do in May? | 2023-05-01 | 2023-06-01
What did Anna do in May 2023? | 2023-05-01 | 2023-06-01
May 2023 | 2023-05-01 | 2023-06-01
in 2022 | 2022-01-01 | 2023-01-01
since March | 2023-03-01 | -
before June 2023 | - | 2023-06-01
after Christmas | 2022-12-27 | -
What happened between March and May? | 2023-03-01 | 2023-06-01
from 3 to 7 July | 2022-07-03 | 2022-07-08
July 3-7 | 2022-07-03 | 2022-07-08
on 8 May 2023 | 2023-05-08 | 2023-05-09
on the 8th | 2023-06-08 | 2023-06-09
on the 20th | 2023-05-20 | 2023-05-21
25/12/2022 | 2022-12-25 | 2022-12-26
12/25/2022 | 2022-12-25 | 2022-12-26
2023-05-08 | 2023-05-08 | 2023-05-09
Q3 2022 | 2022-07-01 | 2022-10-01
in Q1 | 2023-01-01 | 2023-04-01
early 2022 | 2022-01-01 | 2022-05-01
mid 2022 | 2022-05-01 | 2022-09-01
late 2022 | 2022-09-01 | 2023-01-01
mid-May | 2023-05-11 | 2023-05-21
last night | 2023-06-13T18:00 | 2023-06-14T06:00
this morning | 2023-06-14T04:00 | 2023-06-14T12:00
yesterday evening | 2023-06-13T17:00 | 2023-06-14
recently | 2023-05-31 | 2023-06-15
the past three months | 2023-03-14 | 2023-06-15
the last few days | 2023-06-09 | 2023-06-15
in the last week | 2023-06-07 | 2023-06-15
over the summer | 2023-06-01 | 2023-09-01
when we first met | 2022-11-05 | 2022-11-06
the first time we talked | 2022-11-05 | 2022-11-06
before we met | - | 2022-11-05T09:00
since we met | 2022-11-05T09:00 | -
lately | 2023-05-31 | 2023-06-15
the first week of May | 2023-05-01 | 2023-05-08
last Friday of March | 2023-03-31 | 2023-04-01
the end of last year | 2022-09-01 | 2023-01-01
the week before last | 2023-05-29 | 2023-06-05
between November and February | 2022-11-01 | 2023-03-01
from 2019 to 2021 | 2019-01-01 | 2022-01-01
between 3 and 7 July 2022 | 2022-07-03 | 2022-07-08
summer of 2022 | 2022-06-01 | 2022-09-01
in the 90s | 1990-01-01 | 2000-01-01
the day after Christmas | 2022-12-27 | 2022-12-28
two days before Christmas | 2022-12-22 | 2022-12-23
over a year ago | - | 2022-06-14
this time last year | 2022-05-30 | 2022-06-30
last year in May | 2022-05-01 | 2022-06-01
in May of last year | 2022-05-01 | 2022-06-01
May last year | 2022-05-01 | 2022-06-01
Friday night | 2023-06-09T18:00 | 2023-06-10T06:00
on Monday of last week | 2023-06-05 | 2023-06-06
5 minutes ago | 2023-06-14T15:20 | 2023-06-14T15:30
two hours ago | 2023-06-14T12:30 | 2023-06-14T14:30
the other day | 2023-06-07 | 2023-06-14
earlier this week | 2023-06-12 | 2023-06-15
What are my plans for next week? | 2023-06-19 | 2023-06-26
What am I doing on Friday? | 2023-06-16 | 2023-06-17
What will I do in two weeks? | 2023-06-25 | 2023-07-02
Was habe ich gestern gesagt? | 2023-06-13 | 2023-06-14
Was habe ich letzte Woche gemacht? | 2023-06-05 | 2023-06-12
Wo war ich vor zwei Wochen? | 2023-05-28 | 2023-06-04
Was habe ich im Mai gemacht? | 2023-05-01 | 2023-06-01
Was war am 8. Mai 2023? | 2023-05-08 | 2023-05-09
¿Qué dije ayer? | 2023-06-13 | 2023-06-14
¿Qué hice la semana pasada? | 2023-06-05 | 2023-06-12
¿Dónde estuve hace dos meses? | 2023-03-30 | 2023-04-30
¿Qué hice el 8 de mayo de 2023? | 2023-05-08 | 2023-05-09
Qu'est-ce que j'ai dit hier ? | 2023-06-13 | 2023-06-14
Qu'ai-je fait la semaine dernière ? | 2023-06-05 | 2023-06-12
Où étais-je il y a deux semaines ? | 2023-05-28 | 2023-06-04
Qu'est-ce que j'ai fait l'année dernière ? | 2022-01-01 | 2023-01-01
Qu'est-ce que j'ai fait avant-hier ? | 2023-06-12 | 2023-06-13
Was habe ich vorgestern gesagt? | 2023-06-12 | 2023-06-13
What do I have in May? | 2024-05-01 | 2024-06-01
at least two years ago | - | 2021-06-14
What did I say about Anna in May? | 2023-05-01 | 2023-06-01
Do you remember what I told you in May? | 2023-05-01 | 2023-06-01
What was that about a week ago | 2023-05-31 | 2023-06-15
since yesterday | 2023-06-13 | -
What have I said since March? | 2023-03-01 | -
Have I been to Rome in the last year? | 2022-06-14 | 2023-06-15
last month's report | 2023-05-01 | 2023-06-01
Anna's trip last month | 2023-05-01 | 2023-06-01
What did I buy on black friday? | 2022-11-25 | 2022-11-26
What did I do on New Year's Eve? | 2022-12-31 | 2023-01-01
What happened in the early 2020s? | 2020-01-01 | 2023-05-01
Which book did I read in the summer of 2022? | 2022-06-01 | 2022-09-01
What did I tell you on Monday evening? | 2023-06-12T17:00 | 2023-06-13
on May 8 | 2023-05-08 | 2023-05-09
on may 8th | 2023-05-08 | 2023-05-09
what did i do in may | 2023-05-01 | 2023-06-01
what did i eat in march | 2023-03-01 | 2023-04-01
the 1st of March | 2023-03-01 | 2023-03-02
first of may | 2023-05-01 | 2023-05-02
May the 4th | 2023-05-04 | 2023-05-05
in the first half of 2022 | 2022-01-01 | 2022-07-01
the second week of January 2023 | 2023-01-08 | 2023-01-15
in the second quarter of 2022 | 2022-04-01 | 2022-07-01
since the beginning of the year | 2023-01-01 | -
until last week | - | 2023-06-12
from March onwards | 2023-03-01 | -
from March | 2023-03-01 | 2023-04-01
from May to now | 2023-05-01 | 2023-06-15
December 2022 to February 2023 | 2022-12-01 | 2023-03-01
8 May - 3 June | 2023-05-08 | 2023-06-04
between the 3rd and the 7th of May | 2023-05-03 | 2023-05-08
between Monday and Wednesday | 2023-06-12 | 2023-06-15
on February 29 | 2020-02-29 | 2020-03-01
next week on Monday | 2023-06-19 | 2023-06-20
two weeks from now | 2023-06-25 | 2023-07-02
What did I say after we met? | 2022-11-05T09:00 | -
What did I mention before Christmas? | - | 2022-12-24
the night before last | 2023-06-12T18:00 | 2023-06-13T06:00
the third Friday of May | 2023-05-19 | 2023-05-20
the last weekend of May | 2023-05-27 | 2023-05-29
the last day of May | 2023-05-31 | 2023-06-01
the last three weeks of May | 2023-05-01 | 2023-06-01
two and a half months ago | 2023-03-14 | 2023-04-15
half a year ago | 2022-06-14 | 2023-06-15
twenty-one days ago | 2023-05-24 | 2023-05-25
a few years back | 2018-06-14 | 2021-06-15
years ago | - | 2021-06-14
in the 1980s | 1980-01-01 | 1990-01-01
in the 2010s | 2010-01-01 | 2020-01-01
When I last saw Anna, was it Monday? | 2023-06-12 | 2023-06-13
What did I do on Sat? | 2023-06-10 | 2023-06-11
in 2022-12 | 2022-12-01 | 2023-01-01
on Thursday, May 4th | 2023-05-04 | 2023-05-05
on Thursday, May 4th, 2023 | 2023-05-04 | 2023-05-05
8 May, 2023 | 2023-05-08 | 2023-05-09
Sept. 3rd 2022 | 2022-09-03 | 2022-09-04
by the end of the month | - | 2023-07-01
In 2020, what did I do? | 2020-01-01 | 2021-01-01
at Christmas | 2022-12-24 | 2022-12-27
Christmas 2021 | 2021-12-24 | 2021-12-27
last Christmas | 2022-12-24 | 2022-12-27
last fall | 2022-09-01 | 2022-12-01
in the fall | 2022-09-01 | 2022-12-01
winter 2022 | 2022-12-01 | 2023-03-01
last winter | 2022-12-01 | 2023-03-01
in winter 2022 | 2022-12-01 | 2023-03-01
15.03.2023 | 2023-03-15 | 2023-03-16
2023/3/15 | 2023-03-15 | 2023-03-16
How old was I in 2010? | 2010-01-01 | 2011-01-01
What did he do the week after Easter? | 2023-04-11 | 2023-04-18
three days after Easter 2023 | 2023-04-13 | 2023-04-14
What did I do the weekend of 8 May? | 2023-05-08 | 2023-05-09
"""

# asked at | question | start | end
MOMENTS = """
2023-06-18T12:00 | last weekend | 2023-06-10 | 2023-06-12
2023-06-19T12:00 | last weekend | 2023-06-17 | 2023-06-19
2023-06-18T12:00 | this weekend | 2023-06-17 | 2023-06-19
2023-06-19T12:00 | What did I do this weekend? | 2023-06-17 | 2023-06-19
2023-06-19T12:00 | What am I doing this weekend? | 2023-06-24 | 2023-06-26
2023-06-18T12:00 | last Sunday | 2023-06-11 | 2023-06-12
2023-06-19T12:00 | last Sunday | 2023-06-18 | 2023-06-19
2023-06-18T12:00 | last week | 2023-06-05 | 2023-06-12
2023-06-19T12:00 | last week | 2023-06-12 | 2023-06-19
2023-06-18T12:00 | next week | 2023-06-19 | 2023-06-26
2023-06-18T12:00 | on Sunday | 2023-06-11 | 2023-06-12
2023-06-18T12:00 | next Sunday | 2023-06-25 | 2023-06-26
2024-03-31T12:00 | a month ago | 2024-02-14 | 2024-03-17
2024-03-31T12:00 | last month | 2024-02-01 | 2024-03-01
2024-03-31T12:00 | the last month | 2024-02-29 | 2024-04-01
2023-03-31T12:00 | the last month | 2023-02-28 | 2023-04-01
2024-02-29T12:00 | a year ago | 2022-08-29 | 2023-08-30
2024-02-29T12:00 | last year | 2023-01-01 | 2024-01-01
2024-02-29T12:00 | the past year | 2023-02-28 | 2024-03-01
2024-03-01T12:00 | yesterday | 2024-02-29 | 2024-03-01
2023-03-01T12:00 | yesterday | 2023-02-28 | 2023-03-01
2024-03-01T12:00 | on 29 February | 2024-02-29 | 2024-03-01
2023-03-01T12:00 | on 29 February | 2020-02-29 | 2020-03-01
2024-02-29T12:00 | in February | 2024-02-01 | 2024-03-01
2024-01-01T00:05 | yesterday | 2023-12-31 | 2024-01-01
2024-01-01T00:05 | last month | 2023-12-01 | 2024-01-01
2024-01-01T00:05 | last night | 2023-12-31T18:00 | 2024-01-01T06:00
2024-01-01T00:05 | last quarter | 2023-10-01 | 2024-01-01
2024-01-01T00:05 | in Q4 | 2023-10-01 | 2024-01-01
2024-01-03T12:00 | this winter | 2023-12-01 | 2024-03-01
2024-01-03T12:00 | last winter | 2022-12-01 | 2023-03-01
2024-01-03T12:00 | in December | 2023-12-01 | 2024-01-01
2023-12-25T12:00 | last December | 2022-12-01 | 2023-01-01
2024-01-03T12:00 | last December | 2023-12-01 | 2024-01-01
2024-01-03T12:00 | this Christmas | 2023-12-24 | 2023-12-27
2024-01-03T12:00 | last Christmas | 2023-12-24 | 2023-12-27
2023-12-25T12:00 | last Christmas | 2022-12-24 | 2022-12-27
2024-01-03T12:00 | over the holidays | 2023-12-24 | 2024-01-02
2024-01-03T12:00 | between Christmas and New Year | 2023-12-24 | 2024-01-02
2024-01-03T12:00 | between November and January | 2023-11-01 | 2024-02-01
2024-01-03T12:00 | last weekend | 2023-12-30 | 2024-01-01
2023-05-15T12:00 | last May | 2022-05-01 | 2022-06-01
2023-05-15T12:00 | in May | 2023-05-01 | 2023-06-01
2023-05-15T12:00 | this May | 2023-05-01 | 2023-06-01
2023-05-15T12:00 | next May | 2024-05-01 | 2024-06-01
2023-05-08T12:00 | on the 8th | 2023-05-08 | 2023-05-09
2023-03-15T12:00 | on the 31st | 2023-01-31 | 2023-02-01
2023-08-15T12:00 | last summer | 2022-06-01 | 2022-09-01
2023-12-01T12:00 | over the summer | 2023-06-01 | 2023-09-01
2024-11-29T12:00 | on Black Friday | 2024-11-29 | 2024-11-30
2025-01-10T12:00 | at Thanksgiving | 2024-11-28 | 2024-11-29
2024-05-01T12:00 | at Easter | 2024-03-29 | 2024-04-02
2038-05-01T12:00 | on Good Friday | 2038-04-23 | 2038-04-24
2100-12-31T09:00 | today | 2100-12-31 | 2101-01-01
"""

UNRESTRICTED = """
8/5/2023
What may I eat?
May I ask a second question?
march on
I march 2 miles
What was my last name?
Is spring water good?
How do I cook eggs in 5 minutes?
in 2 steps
the 90s kid
a year of travelling
What do I wear in winter?
When did we first meet?
When did I move to Rome?
What's my favourite day of the week?
in 2000 words
on the 8th floor
What do I usually do on Fridays?
What did June say?
What did "Yesterday" mean?
What is 2023 plus 5?
What did my last year of school teach me?
Wohne ich hier?
Guten Morgen, wie heißt mein Hund?
on 31 April
What was the last week of my holiday like?
What did I do on my last day?
What's the next step?
Next time we meet, what should I bring?
decades ago
Sunday roast recipe
What did I do sat?
2022-12
in 2101
in 1899
for Christmas
Was I with April in Rome?
Is Augusta in Rome?
the fall of the Berlin wall
31/31/2023
1.2.3
10.0.0.1
29 February 2023
What do I do every Monday?
When was my birthday?
I get used to it
What am I used to?
Did I say that I'm used to the cold?
What tool is used to build?
May we march in single file?
Should I buy a second car?
What can I learn in a year?
Room 2021
What did 2000 people do?
What costs $2020?
Which wine goes with mayo?
Do you like April?
Where does part of Jun's family live?
Where is Mars?
in 3019
on the 45th
"""

# told | start | end
EVENTS = """
I'm flying to Rome next Friday | 2023-06-23 | 2023-06-24
my exam was yesterday | 2023-06-13 | 2023-06-14
we moved in 2019 | 2019-01-01 | 2020-01-01
I went to Rome on Friday | 2023-06-09 | 2023-06-10
My appointment is on Friday | 2023-06-16 | 2023-06-17
My birthday is on 8 May | 2024-05-08 | 2024-05-09
I was born in May 1990 | 1990-05-01 | 1990-06-01
I booked a flight for Friday | 2023-06-16 | 2023-06-17
I booked a flight on Friday | 2023-06-09 | 2023-06-10
I have lived here for three years | 2020-06-14 | -
I've been vegan since 2019 | 2019-01-01 | -
We're leaving in two weeks | 2023-06-25 | 2023-07-02
I will see you on the 20th | 2023-06-20 | 2023-06-21
I saw her on the 20th | 2023-05-20 | 2023-05-21
My sister gets married in August | 2023-08-01 | 2023-09-01
I graduated in August | 2022-08-01 | 2022-09-01
How are you? I was at the doctor's this morning. | 2023-06-14T04:00 | 2023-06-14T12:00
I went to the doctor and my next appointment is on Friday. | 2023-06-16 | 2023-06-17
I'll finish the report by Friday | - | 2023-06-17
The party is this weekend | 2023-06-17 | 2023-06-19
We had a party last weekend | 2023-06-10 | 2023-06-12
Last year in May we got married | 2022-05-01 | 2022-06-01
I recently moved to Berlin | 2023-05-31 | 2023-06-15
I'm on holiday from 3 to 7 July | 2023-07-03 | 2023-07-08
See you tomorrow evening | 2023-06-15T17:00 | 2023-06-16
My dad died three years ago | 2019-12-14 | 2020-12-15
We start next Monday | 2023-06-19 | 2023-06-20
I have an interview at 10:30 on May 8 | 2024-05-08 | 2024-05-09
I've started a new job last week | 2023-06-05 | 2023-06-12
The conference is on 2023-09-12 | 2023-09-12 | 2023-09-13
Ich fliege nächsten Freitag nach Rom | 2023-06-23 | 2023-06-24
Ich war gestern beim Arzt | 2023-06-13 | 2023-06-14
Wir sind vor zwei Jahren umgezogen | 2020-12-14 | 2021-12-15
Mañana voy al médico | 2023-06-15 | 2023-06-16
El lunes pasado empecé el trabajo | 2023-06-12 | 2023-06-13
Je pars demain | 2023-06-15 | 2023-06-16
J'ai déménagé en mars 2020 | 2020-03-01 | 2020-04-01
Wir ziehen im August um | 2023-08-01 | 2023-09-01
I met Anna two years and three months ago | 2021-02-27 | 2021-03-31
I lived in Rome from 2010 until 2015 | 2010-01-01 | 2016-01-01
I've got a wedding on the 20th | 2023-06-20 | 2023-06-21
I've fallen. On the stairs, on 1 June. | 2023-06-01 | 2023-06-02
So I got the place. Start's 12 July | 2023-07-12 | 2023-07-13
The announcement's on 18 July | 2023-07-18 | 2023-07-19
They gave me till the 25th | - | 2023-06-26
I'm having the knee replaced on 4 November | 2023-11-04 | 2023-11-05
It was to be ready on 1 August | 2023-08-01 | 2023-08-02
I've booked Dr. Paszek on the 18th | 2023-06-18 | 2023-06-19
From 1 July it's 115 | 2023-07-01 | -
The photo is from 1964 | 1964-01-01 | 1965-01-01
I moved the appointment from the 6th to the 8th | 2023-06-06 | 2023-06-09
98.2 kilos on Monday | 2023-06-12 | 2023-06-13
Seville, 23 August. I'm in | 2023-08-23 | 2023-08-24
Baptism's on Tuesday the 20th | 2023-06-20 | 2023-06-21
Sunday, 17 December! I said it loud | 2023-12-17 | 2023-12-18
We've known each other since April | 2023-04-01 | -
Yasmine's getting married on 20 July | 2023-07-20 | 2023-07-21
"""

NO_EVENTS = """
I was born on 8 May
We built it in two weeks
I run every Monday
I love spring
I may go to Paris
What did you do yesterday?
I used to smoke
in 1850 it was built
a thousand years ago
9999 years ago
I was in the army for two years
I got up at 5
I have to take it easy for four weeks
That was hers for thirty years
It's the last year.
"""


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in row.split("|")] for row in table.strip().splitlines()]


def at(cell: str, zone: tzinfo = UTC) -> datetime | None:
    return None if cell == "-" else datetime.fromisoformat(cell).replace(tzinfo=zone)


def bounds(period: Period | None) -> tuple[datetime | None, datetime | None] | None:
    return period and (period.start, period.end)


def day(text: str) -> tuple[datetime | None, datetime | None]:
    start = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return start, start + timedelta(days=1)


@pytest.mark.parametrize(("question", "start", "end"), rows(PERIODS))
def test_a_question_is_restricted_to_the_time_it_names(question: str, start: str, end: str) -> None:
    period = find_period(question, NOW, first_met=MET)
    assert bounds(period) == (at(start), at(end))
    assert period is not None
    assert period.kind == "said"
    assert period.phrase
    assert period.phrase in question


@pytest.mark.parametrize(("asked_at", "question", "start", "end"), rows(MOMENTS))
def test_what_is_meant_depends_on_when_it_is_asked(
    asked_at: str, question: str, start: str, end: str
) -> None:
    asked = at(asked_at)
    assert asked is not None
    assert bounds(find_period(question, asked)) == (at(start), at(end))


@pytest.mark.parametrize("question", UNRESTRICTED.strip().splitlines())
def test_a_question_that_names_no_time_is_not_restricted(question: str) -> None:
    assert find_period(question, NOW, first_met=MET) is None


@pytest.mark.parametrize(("told", "start", "end"), rows(EVENTS))
def test_a_told_event_has_its_time(told: str, start: str, end: str) -> None:
    period = find_event(told, NOW)
    assert bounds(period) == (at(start), at(end))
    assert period is not None
    assert period.phrase in told
    assert period.kind == ("held" if end == "-" else "said")


@pytest.mark.parametrize("told", NO_EVENTS.strip().splitlines())
def test_what_tells_of_no_event_has_no_time(told: str) -> None:
    assert find_event(told, NOW) is None


@pytest.mark.parametrize(
    ("question", "phrase"),
    [
        ("What job do I have now?", "now"),
        ("Where do I currently live?", "currently"),
        ("What am I reading these days?", "these days"),
        ("Who is my manager at the moment?", "at the moment"),
        ("Do I still live in Rome?", "still"),
        ("Wo wohne ich derzeit?", "derzeit"),
    ],
)
def test_now_asks_for_what_holds(question: str, phrase: str) -> None:
    assert find_period(question, NOW) == Period(start=NOW, end=None, phrase=phrase, kind="held")


@pytest.mark.parametrize(
    ("question", "phrase"),
    [
        ("Where did I use to live?", "use to"),
        ("What did Anna say that she used to play?", "used to"),
        ("Where did I live previously?", "previously"),
        ("Where did I work before that?", "before that"),
    ],
)
def test_used_to_asks_for_what_no_longer_holds(question: str, phrase: str) -> None:
    assert find_period(question, NOW) == Period(start=None, end=NOW, phrase=phrase, kind="held")


def test_a_named_time_goes_before_a_state() -> None:
    period = find_period("Where did I use to live in 2019?", NOW)
    assert period is not None
    assert (period.phrase, period.kind) == ("2019", "said")


@pytest.mark.parametrize(
    "question",
    [
        "when we first met", "before we met", "since we met", "the first time we talked", "our first chat",
    ],
)  # fmt: skip
def test_without_a_first_meeting_none_is_meant(question: str) -> None:
    assert find_period(question, NOW) is None


def test_the_first_meeting_is_the_whole_day_in_the_zone() -> None:
    late = datetime(2022, 11, 5, 23, 30, tzinfo=UTC)  # the 6th in Berlin
    period = find_period("What did I say when we first met?", NOW, first_met=late, zone=BERLIN)
    assert bounds(period) == (
        datetime(2022, 11, 6, tzinfo=BERLIN).astimezone(UTC),
        datetime(2022, 11, 7, tzinfo=BERLIN).astimezone(UTC),
    )
    before = find_period("What was I like before we met?", NOW, first_met=late, zone=BERLIN)
    assert bounds(before) == (None, late)


def test_the_same_words_ask_of_what_was_or_of_what_will_be() -> None:
    assert bounds(find_period("What did I do on Friday?", NOW)) == day("2023-06-09")
    assert bounds(find_period("What am I doing on Friday?", NOW)) == day("2023-06-16")
    assert bounds(find_period("What will I do on 20 June?", NOW)) == day("2023-06-20")
    assert bounds(find_period("What did I do on 20 June?", NOW)) == day("2022-06-20")


@pytest.mark.parametrize(
    ("zone", "asked_at", "question", "start_utc", "end_utc"),
    [
        # A day of 23 hours and one of 25.
        ("Europe/Berlin", "2023-03-27T00:30", "yesterday", "2023-03-25T23:00", "2023-03-26T22:00"),
        ("Europe/Berlin", "2023-10-30T12:00", "yesterday", "2023-10-28T22:00", "2023-10-29T23:00"),
        # The clocks go forward within the night, and back within the hours before now.
        ("Europe/Berlin", "2023-03-26T09:00", "last night", "2023-03-25T17:00", "2023-03-26T04:00"),
        ("Europe/Berlin", "2023-10-29T03:30", "2 hours ago", "2023-10-28T23:30", "2023-10-29T01:30"),
        # Midnight itself is skipped: the day begins at one o'clock.
        ("America/Sao_Paulo", "2018-11-05T09:00", "yesterday", "2018-11-04T03:00", "2018-11-05T02:00"),
        ("Asia/Kolkata", "2024-03-01T01:00", "yesterday", "2024-02-28T18:30", "2024-02-29T18:30"),
        ("Pacific/Kiritimati", "2024-01-01T01:00", "last year", "2022-12-31T10:00", "2023-12-31T10:00"),
    ],
)
def test_days_are_days_of_the_zone(
    zone: str, asked_at: str, question: str, start_utc: str, end_utc: str
) -> None:
    place = ZoneInfo(zone)
    asked = at(asked_at, place)
    assert asked is not None
    expected = (at(start_utc), at(end_utc))
    assert bounds(find_period(question, asked, zone=place)) == expected
    assert bounds(find_period(question, asked.astimezone(UTC), zone=place)) == expected


def test_a_day_that_a_country_left_out_is_no_time() -> None:
    samoa = ZoneInfo("Pacific/Apia")  # it crossed the date line: there was no 30 December 2011
    assert find_period("yesterday", datetime(2011, 12, 31, 9, tzinfo=samoa), zone=samoa) is None


def test_a_time_without_a_zone_is_refused() -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="zone"):
        find_period("yesterday", naive)
    with pytest.raises(ValueError, match="zone"):
        find_period("when we first met", NOW, first_met=naive)
    with pytest.raises(ValueError, match="zone"):
        find_event("yesterday", naive)


@pytest.mark.parametrize(
    "text",
    [
        'What does "Yesterday" by the Beatles mean?',
        "Who sings “Last Friday Night”?",
        "Wer schrieb „Im Mai“?",
        "Qui a écrit « Hier » ?",
    ],
)
def test_a_quoted_title_is_no_time(text: str) -> None:
    assert find_period(text, NOW) is None


def test_only_the_beginning_is_read() -> None:
    assert find_period("x " * 2_000 + "yesterday", NOW) is None
    assert find_period("x " * 1_900 + "yesterday", NOW) is not None


def test_the_first_time_that_is_named_counts() -> None:
    period = find_period("What did I say yesterday about my trip in May 2022?", NOW)
    assert period is not None
    assert period.phrase == "yesterday"


def test_an_impossible_date_is_skipped_and_the_next_one_read() -> None:
    assert bounds(find_period("on 30 February 2023, I mean 2 March 2023", NOW)) == day("2023-03-02")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000, "the first " * 10_000, "since " * 20_000, "1 " * 50_000, "31 february " * 9_000,
        "may " * 30_000, '"' * 100_000, "il y a " * 15_000, "from 3 to " * 10_000, "a'a" * 33_000,
        "between may and " * 8_000, "in 9999 years ago? " * 7_000, "1/1/" * 25_000, "²³½ " * 20_000,
        "\u0660\u0661 may " * 10_000, "\ud800" * 5_000, "İ" * 5_000,
    ],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
@pytest.mark.timeout(20)
def test_nonsense_ends_soon_and_raises_nothing(text: str) -> None:
    find_period(text, NOW, first_met=NOW)
    find_event(text, NOW)


VOCABULARY = """
what did i do the last next this first second past few couple of weeks week month months year years
day days ago in on since before after between and from to until by early mid late end half may march
june monday friday spring christmas easter 8 8th 31 29 february 2023 2024 1900 2100 99 9999 q3 90s
yesterday today tomorrow tonight morning night weekend recently now used a an ? . , - will am flying
hours minutes decade holidays letzte woche gestern vor zwei hace dos semanas il y a deux semaines
when we met 2023-02-29 31/12/2023 other so far earlier
"""
WORDS = st.sampled_from(VOCABULARY.split())
SENTENCES = st.lists(WORDS, max_size=14).map(" ".join)
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata", "Africa/Monrovia"]
).map(ZoneInfo) | st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))
TIMES = st.datetimes(timezones=ZONES)


@settings(max_examples=600, deadline=None)
@given(text=SENTENCES | st.text(max_size=80), asked_at=TIMES, first_met=st.none() | TIMES, zone=ZONES)
def test_a_period_is_aware_and_never_empty(
    text: str, asked_at: datetime, first_met: datetime | None, zone: tzinfo
) -> None:
    for period in (
        find_period(text, asked_at, first_met=first_met, zone=zone),
        find_event(text, asked_at, zone=zone),
    ):
        if period is None:
            continue
        for time in (period.start, period.end):
            assert time is None or time.tzinfo is UTC
        assert period.start is not None or period.end is not None
        if period.start is not None and period.end is not None:
            assert period.start < period.end
        assert period.phrase
        assert period.phrase in text


EARLY = NOW.replace(year=1950, tzinfo=None)
LATE = NOW.replace(year=2090, tzinfo=None)


@settings(max_examples=200, deadline=None)
@given(count=st.integers(1, 400), now=st.datetimes(EARLY, LATE), zone=ZONES)
def test_so_many_days_ago_is_that_day(count: int, now: datetime, zone: tzinfo) -> None:
    then = now.date() - timedelta(days=count)
    period = find_period(f"What did I say {count} days ago?", now.replace(tzinfo=zone), zone=zone)
    start = datetime(then.year, then.month, then.day, tzinfo=zone).astimezone(UTC)
    if period is not None:  # a few days of a few zones have no length
        assert period.start == start


def _ending(number: int) -> str:
    return "th" if 10 < number < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


@settings(max_examples=200, deadline=None)
@given(day=st.dates(date(1900, 1, 1), date(2100, 12, 31)), form=st.integers(0, 4))
def test_a_whole_date_is_that_day_however_it_is_written(day: date, form: int) -> None:
    written = (
        f"{day:%Y-%m-%d}",
        f"{day.day} {day:%B} {day.year}",
        f"{day:%B} {day.day}, {day.year}",
        f"the {day.day}{_ending(day.day)} of {day:%B} {day.year}",
        f"{day.day}.{day.month}.{day.year}",
    )[form]
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    expected = (start, start + timedelta(days=1))
    assert bounds(find_period(f"What happened on {written}?", NOW)) == expected
    assert bounds(find_event(f"It happened on {written}.", NOW)) == expected


@settings(max_examples=100, deadline=None)
@given(asked_on=st.dates(date(1950, 1, 1), date(2090, 12, 31)))
def test_weeks_are_those_of_iso_8601(asked_on: date) -> None:
    asked = datetime(asked_on.year, asked_on.month, asked_on.day, 12, tzinfo=UTC)
    for words, offset in (("last week", -1), ("this week", 0), ("next week", 1)):
        period = find_period(words, asked)
        assert period is not None
        assert period.start is not None
        year, number, weekday = (asked + timedelta(days=7 * offset)).isocalendar()
        assert period.start.isocalendar() == (year, number, 1), weekday
        assert period.end == period.start + timedelta(days=7)
