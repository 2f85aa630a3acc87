"""Commits and people. Data only."""

from __future__ import annotations

HISTORY: dict[str, str] = {
    "COMMIT": (
        "came in|come in|came into|come into|landed|went in|went into|gone into|commit|committed|commited|committing|"
        "short hash|full hash|abbreviated hash|complete hash|revision|check-in|checkin|checked in|pushed|push|"
        "changeset|sha|shas|submitted|delivered|shipped|git commit|"
        "hash|hashes|commit hash|commit id|commit ids|commit hashes|commit sha|id of|ids of|going in|gone in|"
        "coming in|entry|made it in|made it into|went live|changelist|change set|change-set|check in|check-ins made|"
        "rev"
    ),
    "COMMITS": (
        "git log|activity|work|commits made|gitlog|logs|timeline|commit list|commit activity|new work|commits|"
        "revisions|check-ins|pushes|changesets|commit history|commit log|log|history|git commits|check ins|"
        "change sets|change-sets|changelists|revs|patches|commit entries|history of commits|commits done|"
        "commit timeline|changelog|change log|change history|revision history|edit history|git history|"
        "version history|development history|submissions|deliveries|work done|work items|development|code changes|"
        "code change|recent activity|log of commits|log of|code commits|commit records|contribution history|"
        "pieces of work|efforts|doings|checkins"
    ),
    "MOST BY_DAY COMMIT": (
        "busiest day|most active day|busiest days|most active days|day with the most commits|day with most commits|"
        "day with the most activity|day with the highest number of commits|day had the most commits|"
        "day had most commits|day saw the most commits|day saw most commits|day was the busiest|day were the busiest|"
        "day was busiest|day had the highest number of commits|day was most active|day was the most active|"
        "day had the most activity|day saw the most activity|day got the most commits|day of the most commits|"
        "day with the most work|most productive day|day was the most productive|day has the most commits|"
        "day has most commits|day were the most commits made|day were most commits made|day are the most commits made|"
        "top day|days with the most commits|day with the largest number of commits"
    ),
    "MOST BY_WEEK COMMIT": (
        "busiest week|most active week|busiest weeks|week with the most commits|week with most commits|"
        "week with the most activity|week with the highest number of commits|week had the most commits|"
        "week had most commits|week saw the most commits|week saw most commits|week was the busiest|"
        "week were the busiest|week was busiest|week had the highest number of commits|week was most active|"
        "week was the most active|week had the most activity|week saw the most activity|week got the most commits|"
        "week of the most commits|week with the most work|most productive week|week was the most productive|"
        "week has the most commits|week has most commits|week were the most commits made|week were most commits made|"
        "week are the most commits made|top week|weeks with the most commits|week with the largest number of commits"
    ),
    "MOST BY_MONTH COMMIT": (
        "busiest month|most active month|busiest months|month with the most commits|month with most commits|"
        "month with the most activity|month with the highest number of commits|month had the most commits|"
        "month had most commits|month saw the most commits|month saw most commits|month was the busiest|"
        "month were the busiest|month was busiest|month had the highest number of commits|month was most active|"
        "month was the most active|month had the most activity|month saw the most activity|month got the most commits|"
        "month of the most commits|month with the most work|most productive month|month was the most productive|"
        "month has the most commits|month has most commits|month were the most commits made|"
        "month were most commits made|month are the most commits made|top month|months with the most commits|"
        "month with the largest number of commits"
    ),
    "PER PERSON": (
        "everyone 's|everybody 's|each person 's|all authors '|every author 's|by author|by person|by developer|by "
        "contributor|by committer|by people|by authors|per head|for each author|"
        "for each person|for each developer|for every author|by contributors|by developers|per author|per person|"
        "per developer|per contributor|per committer|per dev|each author|each person|each developer|each contributor|"
        "each committer|each dev|every author|every developer|every person|every contributor|by each author|"
        "by each person|by each developer|by each contributor|grouped by author|grouped by person|"
        "grouped by developer|group by author|split by author|split by developer|split by person|"
        "broken down by author|broken down by person|broken down by developer|by dev|by devs|by engineer|"
        "for every person|for every developer|for every contributor|for each contributor|each one of the authors|"
        "each of the authors|each of the contributors|each of the developers|by team member|per team member|"
        "for each dev|from each author|from each person|from each developer|among the authors|each individual author|"
        "per individual"
    ),
    "CHANGE": (
        "change|changed|changes|changing|touched|touch|touches|touching|modified|modify|modifies|edited|edit|edits|"
        "updated|update|updates|altered|worked on|work on|working on|works on|affected|affect|different|new in|"
        "amended|adjusted|tweaked|revised|modification|modifications|edition|alter|alters|alterations|messed with|"
        "fiddled with|tinkered with|played with|went at|hacked on|refactored|reworked|rework|what is new|new with|"
        "new on|new at|edits made|touch-ups|touchups|changes made|modifications made|alteration|edits done|"
        "update history|affecting|new since|different about|differences made|changes that were made|changes in|"
        "revisions made|worked|working"
    ),
    "WROTE": (
        "wrote|written|write|authored|made by|responsible for|behind|composed|coded|coder of|writer of|author of|"
        "the author of|produced|crafted|wrote code|write code|written code|writes code|writing code|wrote code in|"
        "coded in|to blame for|blame for|guilty of|in charge of|at fault for|accountable for"
    ),
    "COUNT COMMITS": (
        "total commits|overall commits|commit count|commit counts|commit total|commit totals|commit numbers|"
        "commit tally|commit tallies|count of commits|commit statistics|commit stats"
    ),
    "WHO LAST COMMIT": (
        "last committer|latest committer|last author|latest author|last contributor|latest contributor|"
        "newest committer|last pusher|most recent committer|most recent author|latest pusher|most recent contributor|"
        "last one to commit|last to commit|latest to commit|last person to commit|last one to push|last to push|"
        "last person to push|last dev to commit|last developer to commit|most recent person to commit|"
        "most recent to commit|latest one to commit|last human to commit|last one who committed|"
        "last person who committed"
    ),
    "PARENT": (
        "right before|directly before|immediately before|just before|parent|parents|predecessor|came before|"
        "comes before|came right before|came directly before|was before|ancestor|immediate parent|preceding commit|"
        "directly preceding|previous to|precedes|preceded|preceding|commit before|prior commit to|directly prior to|"
        "immediately prior to|commit preceding|precursor|predecessor of|directly precedes|immediately precedes|"
        "directly preceded|immediately preceded|directly precede|comes directly before|comes immediately before|"
        "come before|precede|is before|previous commit|previous commit of|prior commit|prior commit of|"
        "commit right before|commit just before"
    ),
    "PERSON": (
        "committer|contributor|developer|person|programmer|engineer|dev|coder|hacker|maintainer|colleague|coworker|"
        "co-worker|teammate|team member|individual|member|guy|contributer|human"
    ),
    "PEOPLE": (
        "authors|committers|contributors|developers|programmers|engineers|team members|active|devs|coders|hackers|"
        "maintainers|colleagues|coworkers|co-workers|teammates|individuals|members|humans|names of the authors|"
        "names of the contributors|names of the developers|author list|list of authors|list of contributors|"
        "contributor list|staff|everyone who|everybody who|all those who|anyone who|anybody who|people who|those who|"
        "crew members|maintains|maintain|maintained|maintaining|collaborated|collaborated on|collaborate|participated|"
        "participate|takes part|took part|taken part|users|user|everybody that|everyone that|all people that|"
        "anybody that|people that|those that"
    ),
    "FILE CHANGE COMMIT": (
        "files are in commit|files in commit|files of commit|files belong to commit|file list of commit"
    ),
    "EMAIL": (
        "email|e-mail|email address|e-mail address|mail address|email addresses|e-mail addresses|mail|emails|e-mails|"
        "mailing address|contact|contact address|contact details|mail id|email id|reach|write to|get in touch with|"
        "contact information|electronic mail|address|addresses|mail addresses"
    ),
    "MESSAGE": (
        "message|messages|subject|title|commit message|commit messages|subject line|log message|commit subject|"
        "commit title|commit description|description|headline|commit comment|commit text|commit note|commit subjects|"
        "commit titles|title of|subject of|text of the message|commit log message"
    ),
    "LOST": (
        "lose|losing|no branch contains|no ref reaches|not on any branch|lost|orphaned|orphan|unreachable|"
        "no longer reachable|not reachable|can no longer be reached|no longer be reached|no longer on any branch|"
        "on no branch|by force-push|by a force-push|by force push|by a force push|lost by a force-push|"
        "lost by a force push|lost in a force-push|lost in a force push|lost to a force-push|"
        "not be reached from any branch|not be reached from any ref|not be reached by any branch|"
        "not be reached by any ref|not be reached from a branch|not be reached any more|not be reached anymore|"
        "not be reached|not reachable from any branch|not reachable from any ref|not reachable any more|"
        "not in any branch|not part of any branch|not belong to any branch|dangling|"
        "unreferenced|without a branch|without any branch|no branch has|"
        "no branch reaches|blown away|detached|unreached|unreferenced by any branch|not in any branch any more|"
        "left behind|left dangling|left over|removed from history|removed from the history|dropped from history|"
        "dropped from the history|not part of any branch any more|unreachable from any branch|"
        "unreachable from any ref|not belonging to any branch|not on any branch any more|not on any branch anymore|"
        "on no branch any more|reachable from no branch|not reachable anymore|rewritten away|force-pushed away|"
        "no branch has any more|no longer on a branch|no longer in any branch|no longer part of any branch|"
        "no longer referenced|stranded|garbage|without any ref|no longer contained in any branch|"
        "that no branch points to|not referenced by any branch|hanging|lost for good|squeezed out|"
        "vanished from history|disappeared from history|not reached from any branch|not reached by any branch|"
        "no branch leads to|that no branch knows|not in the history any more|no longer in the history|"
        "force pushed away|unreached by any branch|no branch or tag reaches|no ref reaches any more"
    ),
    "MOST COMMIT": (
        "by number of commits|by commits|by commit count|by the number of commits|by most commits|sorted by commits|"
        "ordered by commits|sorted by number of commits|ordered by number of commits|by how many commits|"
        "by amount of commits|by commit counts|by the number of their commits|by how much they committed|"
        "by commit numbers|by activity|according to number of commits|according to commits|sorted by commit count|"
        "ordered by commit count|in order of commits|in order of number of commits|by commit volume|"
        "by how active they are|sorted by activity|ordered by activity|most work|most of the work|most of the commits|"
        "the bulk of the work|the bulk of the commits|the lion 's share|lion 's share of the work|"
        "the brunt of the work|the largest share of commits|the biggest share of commits"
    ),
    "NOMERGE": (
        "regular commits only|ordinary commits only|non-merge|no-merge|nonmerge|non-merges|nonmerges|"
        "non-merge commits|not merges|not a merge|not merge commits|no merges|no merge commits|without merges|"
        "without merge commits|excluding merges|excluding merge commits|plain commits|ordinary commits|"
        "regular commits|other than merges|except merges|leaving out merges|ignoring merges|skipping merges|"
        "not counting merges|without the merges|minus merges|apart from merges|that are not merges|that are no merges|"
        "exclude merges|omitting merges|and no merges|but no merges|normal commits"
    ),
    "SIGNED": (
        "signed|with a signature|gpg-signed|have a signature|has a signature|carry a signature|carrying a signature|"
        "carries a signature|bear a signature|with signatures|with a gpg signature|with gpg signature|gpg signed|"
        "pgp signed|pgp-signed|cryptographically signed|digitally signed|signature|signatures|bearing a signature|"
        "having a signature|that have a signature|with a pgp signature|with gpg signatures|ssh-signed|"
        "signed off with gpg"
    ),
    "UNSIGNED": (
        "unsigned|not signed|without a signature|without signature|lack a signature|lacks a signature|"
        "lacking a signature|no signature|have no signature|has no signature|without signatures|without any signature|"
        "without gpg signature|without a gpg signature|not gpg signed|not gpg-signed|not cryptographically signed|"
        "not digitally signed|missing a signature|not carry a signature|not have a signature|not bear a signature|"
        "that lack a signature|with no signature|never signed|not been signed|not pgp signed"
    ),
    "MERGE": (
        "merge|merges|merged|merge commit|merge commits|mergers|merge operations|more than one parent|two parents|"
        "several parents|multiple parents|more than 1 parent|2 parents|at least two parents"
    ),
    "SEARCH": (
        "talking about|talks of|that say|saying|mention|mentions|mentioning|mentioned|matching|search|search for|"
        "searching for|grep|grep for|talk about|talks about|related to|regarding|concerning|are about|is about|"
        "deal with|with the word|with the text|with the message|with message|whose message has|find commits about|"
        "commits about|commit about|on the subject of|on the topic of|that concern|having to do with|have to do with|"
        "has to do with|to do with|in connection with|pertaining to|dealing with|which say|with a message about|"
        "with a message mentioning|with a message containing|with messages containing|with messages mentioning|"
        "whose message mentions|whose message contains|whose message includes|whose message is about|"
        "whose messages mention|whose messages contain|whose subject mentions|whose subject contains|"
        "whose subject has|whose title mentions|whose title contains|whose description mentions|that have the word|"
        "that have the words|having the word|having the words|have the word|has the word|include the word|"
        "includes the word|including the word|with the words|with the term|with the phrase|with the string|"
        "that include the word|containing the word|containing the words|that say something about|"
        "have something to do with|anything about|anything regarding|addressing|with the keyword|includes the text|"
        "commit messages about|messages about|that deal with|that talk about|where the message mentions|"
        "where the message contains|where the message says|with the title|titled|entitled|described as|commit called|"
        "commit named|commit titled|commits titled|commits called|commits named|where the message has|"
        "in which the message mentions|that speak of|made about|that says|which says|says something about"
    ),
    "FIXED": "repaired|resolved|cured|squashed|patched|corrected|sorted out|fixed|fixes|fixing|solved",
    "MOST PEOPLE": (
        "main contributors|main authors|main developers|main committers|main people|key contributors|key people|"
        "biggest contributors|main devs|primary authors|key developers|principal authors|largest contributors|"
        "top people|top devs|main coders"
    ),
    "LAST COMMIT": (
        "last active|most recently active|last activity|most recent activity|latest activity|newest activity|"
        "last active commit|last push|latest push|most recent push|newest push|last check-in|latest check-in|"
        "last committed|most recently committed|tip commit|latest commit|last patch|latest patch|newest patch|"
        "most recent patch|last sign of life"
    ),
    "NOT COMMIT": (
        "dormant|asleep|gone quiet|went quiet|fallen silent|silent|inactive|idle|been quiet|did nothing|done nothing|"
        "do nothing|not do anything|not done anything|done no work|did no work|not active|quiet|no activity|"
        "without activity|without any activity|no action|not been active|not see any activity|saw no activity|"
        "stopped committing|not contribute|not contributed|contributed nothing|not contributed anything|"
        "not contribute anything|stayed quiet|stayed silent|took a break|stagnant|stood still|sat idle|not moved"
    ),
    "HEADCOMMIT": (
        "head commit|commit at head|commit at the head|commit of head|current head commit|current head|"
        "head of the repository|head revision|head of the repo"
    ),
    "COUNT PEOPLE HEADS": (
        "headcount|head count|size of the team|team size|how big is the team|how large is the team|number of heads|"
        "number of people|how many people|how many persons|how many folks|how many individuals|how many humans"
    ),
    "COUNT COMMIT COMMITS": (
        "how large is the commit history|how long is the commit history|how big is the commit history|"
        "how long is the history|length of the history|size of the history|how big is the history"
    ),
    "PEOPLE / COMMIT / COMMITS": "contributions|contribution",
    "MOST PERSON": (
        "biggest contributor|largest contributor|main contributor|main author|main developer|main committer|"
        "main person|lead developer|lead author|chief developer|key developer|key contributor|primary author|"
        "primary developer|primary contributor|principal author|top dev|top person|main dev|main coder|"
        "main programmer|biggest committer|number one contributor|greatest contributor"
    ),
    "LEAST PERSON": "smallest contributor|smallest contributors",
    "MOST BY_YEAR COMMIT": (
        "most active year|busiest year|year with the most commits|year with most commits|year with the most activity|"
        "year with the highest number of commits|year had the most commits|year had most commits|"
        "year saw the most commits|year saw most commits|year was the busiest|year were the busiest|year was busiest|"
        "year had the highest number of commits|year was most active|year was the most active|"
        "year had the most activity|year saw the most activity|year got the most commits|year of the most commits|"
        "year with the most work|most productive year|year was the most productive|year has the most commits|"
        "year has most commits|year were the most commits made|year were most commits made|"
        "year are the most commits made|top year|years with the most commits|year with the largest number of commits"
    ),
    "MOST COMMIT REPO": (
        "busiest repository|busiest repo|most active repository|most active repo|most active project|busiest project|"
        "liveliest repo|liveliest repository"
    ),
    "MOST COMMIT REPOS": (
        "busiest repositories|busiest repos|most active repositories|most active repos|most active projects|"
        "busiest projects"
    ),
    "LEAST COMMIT REPO": (
        "quietest repository|quietest repo|least active repository|least active repo|least active project"
    ),
    "LEAST COMMIT REPOS": (
        "least active repositories|least active repos|quietest repositories|quietest repos|least active projects"
    ),
    "DIFF / COMMIT / CHANGE": "patch",
    "LOST / DELETED": (
        "gone|vanished|disappeared|gone missing|went missing|got lost|gets lost|went away|no longer exist|"
        "no longer exists|not exist any more|not exist anymore|no longer around|no longer present|no longer available|"
        "missing now|ceased to exist|not around any more"
    ),
    "WHO WROTE": (
        "culprit behind|the culprit behind|the person behind|person behind|the person responsible for|"
        "person responsible for|mind behind"
    ),
    "POINT / SEARCH": "refer to|refers to|referring to",
    "PEOPLE / ": "people|persons",
    "VERIFY /  / COMMIT": "check|checked",
    "VERIFY MANY / COMMIT / ": "checks",
    "AUDIT /  / COMMITS": "actions|action",
    "MOST CHANGE": (
        "by number of changes|by changes|by change count|by the number of changes|by how often they changed|"
        "sorted by number of changes|ordered by number of changes|by number of edits|by how often they were changed|"
        "by change frequency|churn|most churn"
    ),
    "SEARCH / HAVE / CONTENT": "contain|contains|containing|contained|including|include|includes|included",
    " / PEOPLE": "folks|team|crew|gang|guys",
    "COMMIT / ": "came|comes|come|arrived|arrive|arrives|arriving",
    "RECENT COMMITS": (
        "new commits|recent commits|newest commits|latest changes|recent changes|new changes|new revisions|"
        "recent revisions"
    ),
    "PERSON / COMMIT": "author",
    "/ WROTE": "code",
    "WHO CHANGE": "editor|modifier|changer",
}
"""Concepts → phrases, parted by `|`. `A / B` has several meanings, the likeliest first."""
