"""How a question is put: what is wanted, how much of it, in which order. Data only."""

from __future__ import annotations

ASKING: dict[str, str] = {
    "WHO": (
        "who was it that|who is it that|who was it who|who|whom|whose|by whom|which person|which developer|"
        "which author|which contributor|which committer|who else|whoever|which dev|which engineer|which programmer|"
        "which coder|which team member|which colleague|which individual|which one of us|what person|what developer|"
        "what author|who in the world|name of the person|name of the author|name of the developer|"
        "name of the committer|names of everybody|names of everyone|names of the people|which guy|by which person|"
        "by which author|by which developer|whose name"
    ),
    "WHEN": (
        "when|what time|at what time|what date|which date|on which day|what day|which day|date of|dates of|"
        "timestamp of|timestamp|at which time|since when|date and time of|moment of|date|on what day|on what date|"
        "on which date|when exactly|how long has|how recently|at which point|at what point|what was the date|times of|"
        "time of|how many days ago|how many weeks ago|how many hours ago|how many months ago|day and time|"
        "time and date|what day and time|which time"
    ),
    "WHERE": (
        "where|in which folder|which folder holds|what path holds|whereabouts|at which place|in what folder|"
        "in what directory|in which directory|under which path|under what path|target of|target|targets of"
    ),
    "ASK": (
        "did people|did everyone|did everybody|has everyone|have people|any more|explain|describe|what|which|tell me|"
        "tell|know|how did|how does|how do|did|does|happened|happen|going on|went on|been going on|did any|news|"
        "updates on|do you have|have we got|have you got|report|info|information|details|detail|about|overview|"
        "summary|summarise|summarize|tell us|inform me|let me know|give me an idea|fill me in|brief me|update me on|"
        "catch me up on|story|scoop|rundown|run-down|give me a rundown|what kind of|what sort of|which kinds of|"
        "clarify|learn|find out|figure out|understand|information on|information about|info on|info about|details on|"
        "details of|details about|details for|facts about|facts on|more about|more on|more details|more information|"
        "full details|go on|goes on|occurred|occur|take place|taken place|transpired|been happening|was happening|"
        "is happening|went down|been up to|up to|how has|how have|how was|how were|how had"
    ),
    "SHOW": (
        "pull up|bring up|dig out|dig up|point me to|point me at|hand me|spit out|output|provide|enumerate all|"
        "break down|breakdown of|breakdown|broken down|present|send me|read out|retrieve|show|list|give|display|get|"
        "find|see|print|fetch|view|look at|look up|open|enumerate|show me|show us|list out|list all|pull|pull out|"
        "lay out|bring me|get me|get hold of|write out|type out|name all|display all|return|reveal|report on|"
        "listing of|listing|a list of|list of|lists|lists of|itemise|itemize|catalogue|table of|a table of|print out|"
        "echo|expose|preview|walk me through|run through|go through|browse|look into|check out|dump|sort|order|"
        "arrange|line up|sort out by|put in order"
    ),
    "COUNT": (
        "how much|how many|number of|count|count of|total number of|how often|how many times|amount of|counts|"
        "counts of|tally|tallies|totals|numbers|statistics|stats|stats of|stats for|quantity of|numbers of|count up|"
        "total up|number|what number of|sum of|sum up|total count of|total count|overall number of|figure for|"
        "figures for|figures|how numerous|how large a number of|totals of|frequency|frequency of|what quantity of|"
        "just the number of|just the count of|count all|count the number of|how frequently|how regularly|"
        "how many different|how many distinct|how many unique|how many separate|number of different|"
        "number of distinct|number of unique|tot up"
    ),
    "LAST": (
        "last|latest|most recent|most recently|newest|lastly|last time|youngest|final|freshest|latest and greatest|"
        "very last|very latest|at last|most current|newest of all|latest of all|most recent of all|very newest|"
        "most up-to-date|most up to date|up-to-date|mostrecent|most-recent|lattest|last ever|last of all|last-ever|"
        "most recent time|most lately|lates"
    ),
    "RECENT": "of late|these days|recent|recently|lately",
    "FIRST": (
        "first|oldest|earliest|initial|very first|originally|very oldest|very earliest|first ever|first time|"
        "first of all|very beginning|earliest ever|oldest ever|for the first time|first-ever|initially|inaugural|"
        "original|in the beginning|at first"
    ),
    "MOST": (
        "leaderboard|most|most often|top|most frequently|most commonly|mostly|leading|ranking|rank|largest number of|"
        "highest number of|biggest number of|greatest number of|most number of|maximum|highest|hardest working|ranked|"
        "ranked by|most of all|most heavily|most intensely|most intensively|most regularly|highest count of|"
        "largest count of|highest amount of|largest amount of|biggest amount of|greatest amount of|biggest share of|"
        "largest share of|bulk of|number one|no. 1|#1|champion|record for the most|hot|keenest|most diligent|"
        "most industrious|most engaged|most involved|most popular|chief|principal|top-ranking|number-one|leads|"
        "leading the pack|tops|heads the list"
    ),
    "LEAST": (
        "smallest number of|lowest number of|fewest number of|lowest|minimum|least prolific|least productive|laziest|"
        "least busy|most rarely|rarest|rarely|least|fewest|least often|least active|least frequently|fewer|less|"
        "bottom|fewest of all|least of all|lowest count of|smallest count of|lowest amount of|smallest amount of|"
        "least active of all|least number of|least activity|least regularly|most seldom|seldom|least heavily|quietest|"
        "least engaged|least involved|smallest share of|least work|most inactive"
    ),
    "MORE": "more|more often",
    "BIGGEST": (
        "largest|biggest|heaviest|most space|most storage|by size|most disk|most disk space|most room|most bytes|"
        "fattest|bulkiest|takes the most space|hugest|greatest|largest of all|biggest of all|by disk usage|by storage|"
        "most disc space|biggest in size|largest in size|bulky|heavy|most data|most gigabytes|most megabytes|"
        "largest by size|biggest by size|sorted by size|ordered by size"
    ),
    "SMALLEST": (
        "smallest|tiniest|lightest|least space|smallest of all|littlest|least storage|least disk space|least room|"
        "fewest bytes|slimmest|minimal|least disk|least data"
    ),
    "SIZE": (
        "how big|how large|size|sizes|how much space|how much storage|how many bytes|disk space|storage space|"
        "how heavy|space|storage|bytes|room|how much room|disk usage|disc space|storage usage|storage use|data volume|"
        "volume of|volume|footprint|weight|gigabytes|megabytes|how much data|how many gigabytes|how many megabytes|"
        "how many mb|how many gb|total size|combined size|amount of data|amount of storage|amount of space|"
        "amount of disk space|how much disk space|how much disk|disk|weigh"
    ),
    "BY_DAY": (
        "per day|daily|by day|each day|every day|a day|day by day|for each day|on a per-day basis|per-day|"
        "grouped by day|group by day|split by day|broken down by day|over the days|day-by-day|for every day|"
        "in each day|in every day|every single day|on a daily basis|daily breakdown|daily breakdown of|by the day|"
        "day after day|by calendar day|per calendar day|bucketed by day|arranged by day|sorted by day|"
        "organised by day|organized by day|separated by day|divided by day|summed by day|aggregated by day|daywise|"
        "each and every day|counted by day|summarised by day|per day breakdown|in a day|on each day|per diem|"
        "each single day"
    ),
    "BY_WEEK": (
        "per week|weekly|by week|each week|every week|a week|week by week|for each week|on a per-week basis|per-week|"
        "grouped by week|group by week|split by week|broken down by week|over the weeks|week-by-week|for every week|"
        "in each week|in every week|every single week|on a weekly basis|weekly breakdown|weekly breakdown of|"
        "by the week|week after week|by calendar week|per calendar week|bucketed by week|arranged by week|"
        "sorted by week|organised by week|organized by week|separated by week|divided by week|summed by week|"
        "aggregated by week|weekwise|each and every week|counted by week|summarised by week|per week breakdown|"
        "in a week|on each week"
    ),
    "BY_MONTH": (
        "per month|monthly|by month|each month|every month|a month|month by month|for each month|on a per-month basis|"
        "per-month|grouped by month|group by month|split by month|broken down by month|over the months|month-by-month|"
        "for every month|in each month|in every month|every single month|on a monthly basis|monthly breakdown|"
        "monthly breakdown of|by the month|month after month|by calendar month|per calendar month|bucketed by month|"
        "arranged by month|sorted by month|organised by month|organized by month|separated by month|divided by month|"
        "summed by month|aggregated by month|monthwise|each and every month|counted by month|summarised by month|"
        "per month breakdown|in a month|on each month"
    ),
    "BY_YEAR": (
        "per year|yearly|by year|each year|every year|a year|annual|for each year|on a per-year basis|per-year|"
        "grouped by year|group by year|split by year|broken down by year|year-by-year|for every year|in each year|"
        "in every year|every single year|on a yearly basis|yearly breakdown|yearly breakdown of|by the year|"
        "year after year|by calendar year|per calendar year|bucketed by year|arranged by year|sorted by year|"
        "organised by year|organized by year|separated by year|divided by year|summed by year|aggregated by year|"
        "yearwise|each and every year|counted by year|summarised by year|per year breakdown|in a year|on each year|"
        "annually|per annum"
    ),
    "BY_REPO": (
        "and repository|and repo|and project|and by repository|and per repository|and by repo|across repositories|"
        "across repos|each of the repositories|each of the repos|per repository|per repo|"
        "per project|by repository|by repo|by project|each project|for each repository|for each repo|by each repo|"
        "by each repository|grouped by repo|grouped by repository|split by repo|split by repository|"
        "broken down by repo|broken down by repository|group by repository|group by repo|among the repositories|"
        "among the repos|across the repositories|across the repos|each of our repositories|each of our repos|"
        "every one of the repos|every one of the repositories|every single repo|every single repository|per-repo|"
        "per-repository|repo by repo|repository by repository|for the individual repositories|individual repos|"
        "individual repositories|each individual repository|all the repositories each|split by project|"
        "grouped by project|every repo|every repository|in every repo|in every repository|for every repo|"
        "for every repository|for all repositories|for all repos|each repo|each repository|in each repo|"
        "in each repository"
    ),
    "FIRST MANY": (
        "oldest first|earliest first|in chronological order|chronologically|from oldest to newest|oldest to newest|"
        "in ascending order|from the oldest|from the oldest to the newest"
    ),
    "NTH2": "second|2nd|next to|2nd most|second most|second-most|next-to",
    "NTH3": "third|3rd",
    "NTH4": "fourth|4th",
    "NTH5": "fifth|5th",
    "NTH2 LAST": (
        "penultimate|second to last|last but one|next to last|second-last|second-to-last|last but 1|2nd last|"
        "2nd to last|2nd-last|2nd-to-last|second most recent|second newest|second latest|next-to-last|"
        "second from last|2nd most recent|2nd newest|2nd latest|second-newest|second-latest|one before the last|"
        "last-but-one|second from the end"
    ),
    "NTH3 LAST": (
        "third to last|last but two|third-last|antepenultimate|3rd last|3rd to last|third most recent|third newest|"
        "third latest|3rd most recent|3rd newest|3rd latest|third from last|third-to-last|last-but-two|third-latest"
    ),
    "AGE": (
        "how old|age|how long ago|how fresh|how stale|how recent|how up to date|up to date|how far back|"
        "how many days old|how out of date|how up-to-date|how many hours old|how long since|how long is it since|"
        "how current|how dated|how aged|how outdated|how many days since|how much time since|"
        "how much time has passed since|how long has passed since|how long passed since|"
        "how many days have passed since"
    ),
    "NOT": (
        "not|no|never|without|except|excluding|but|other than|besides|apart from|nobody|none|neither|nor|only|instead|"
        "rather than|unless|lacks|lacking|missing|nothing|non|un|lack|zero|lacked|save for|with the exception of|"
        "aside from|leaving out|leaving aside|minus|bar|ignoring|skipping|omitting|disregarding|excepting|"
        "everything but|everyone but|anyone but|anybody but|everybody but|all but|all except|do without|free of|"
        "devoid of|exclude|leave aside|not counting|not including|outside of|failed to|fail to|fails to|failing to|"
        "failed to get|yet to|not a single|not one|not any|no one|no-one|noone|gone without|go without|goes without|"
        "went without|been without|going without|others than|anybody other than|someone other than|people other than"
    ),
    "PER": (
        "per|for each|grouped by|by each|each|broken down by|grouped per|split by|split up by|broken up by|per each"
    ),
    "BETWEEN": "between|in between|inbetween",
    "WHY": (
        "why|for what reason|reason|reasons|what was the reason|the reason why|cause|the cause|how come|what caused|"
        "what made|due to what|on what grounds|why exactly|what was the matter with"
    ),
    "CURRENT": "current",
    "ALLTHINGS": (
        "everything|anything|every thing|whatever|all that|all of what|all the stuff|stuff|all things|all there is|"
        "any stuff|every single thing|what all|things"
    ),
    "IDLE": (
        "so far|up to now|until now|till now|to date|as yet|at all|by now|for now|at the moment|right now|at present|"
        "presently|nowadays|to this day|up till now|thus far|until today|till today|up to today|up until now|"
        "to this date|already|currently|as of now|as of today|as of yet|as of this moment|all the time|all this time|"
        "in its lifetime|in its history|over time|over the years|in its whole history|in the course of time|"
        "throughout its history|in its entire history|since the start|since the beginning|since forever|of all time|"
        "all-time|all time|in history|during its lifetime|this very moment|just now|this moment|over its lifetime|"
        "since day one|from the start|from the beginning|from start to finish|over its whole life|archivewide|"
        "as it stands|in the archive|in total|overall|all in all|altogether|total|grand total|overall total|in all|"
        "combined|because of|due to|as a result of|as a consequence of|at the time|in time|at that time|at any time|"
        "any time|at some time|time and again|time after time|they need|it needs|they occupy|they take up|"
        "they consume|they use|they require|i.e|ie|e.g|eg|biggest first|largest first|most first|highest first|in "
        "descending order|descending|newest first|latest first|most recent first|in reverse "
        "chronological order|newest to oldest|in pivo|with pivo|via pivo|through pivo|using pivo|by pivo|at head|at "
        "the head|on head|in head|at its head|at their heads|at the current head|that is to say|in other words|busy "
        "with|occupied with|"
        "engaged in|engaged with|working away at|all in|all the times|every time|each time|dated"
    ),
    "HELP": (
        "help|help me|what can you do|what can i ask|how does this work|what do you know|how do i use this|"
        "what are you able to do|examples|example questions|what questions can i ask|what can i ask you|"
        "what can i do here|what can i do|how can you help|how can you help me|what are you|who are you|"
        "what do you do|what can this do|what can pivo do|what are my options|show me examples|give me examples|"
        "give me some examples|what questions do you answer|what questions can you answer|which questions can i ask|"
        "which questions can you answer|what kind of questions can i ask|what things can i ask|what should i ask|"
        "what can i use this for|how to use this|how do i use you|usage|instructions|capabilities|"
        "what are your capabilities|what are you capable of|what is pivo"
    ),
    "YES": (
        "existed|do we have|still there|there any|got any|have any|is there|are there|exist|exists|available|known|is "
        "any|are any|was there|"
        "were there|was there any|were there any|has there been|have there been|had there been|there been|existing|"
        "in existence|we know|on record|recorded|known about|listed|on file|exist for|to be found"
    ),
    "NTH4 LAST": (
        "fourth last|4th last|fourth most recent|fourth newest|fourth latest|fourth to last|4th most recent|"
        "4th newest|4th latest"
    ),
    "NTH5 LAST": (
        "fifth last|5th last|fifth most recent|fifth newest|fifth latest|fifth to last|5th most recent|5th newest|"
        "5th latest"
    ),
    "NTH2 FIRST": "second oldest|second earliest|2nd oldest|second ever|second-oldest",
    "NTH3 FIRST": "third oldest|third earliest|3rd oldest|third ever",
    "MOST / MOST COMMIT": (
        "most active|busiest|most busy|hottest|busy|most-active|most activity|most productive|most prolific|prolific|"
        "liveliest"
    ),
    "OUTSIDE": (
        "open issues|open issue|closed issues|github issues|issue tracker|pull request|pull requests|merge request|"
        "merge requests|how do i|how do we|how to|how can i|how can we|how would i|how should i|time between|"
        "gap between|time passed between|every second|every third|every other|every fourth|longest|shortest|average|"
        "mean|median|percentage|percent|ratio|proportion|share of|lines of code|loc|half of|random|exactly one|"
        "a single|single|only one|one commit|one snapshot|one author|one file|one person"
    ),
    "OUTSIDE ASK": (
        "the right to|right to|allowed to|permitted to|permission to|able to|can i restore|can we restore|"
        "can one restore|could i restore|could we restore|be restored|be recovered"
    ),
    "WHEN MANY": (
        "dates|on which dates|which dates|at which times|what dates|on what dates|timestamps|on which days|which days|"
        "what days|what times|on what days"
    ),
    "MANY": "times|the times",
    "EVER": "ever|ever have|ever had|ever contain|ever contained|ever existed|ever exist|ever been in",
}
"""Concepts → phrases, parted by `|`. `A / B` has several meanings, the likeliest first."""
