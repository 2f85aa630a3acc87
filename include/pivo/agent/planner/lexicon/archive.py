"""Repositories, snapshots, verifications, restores, runs. Data only."""

from __future__ import annotations

ARCHIVE: dict[str, str] = {
    "SNAPSHOT": (
        "snapshot|snapshotted|snapshoted|backup|backed up|back up|back-up|archived|saved|snapshoting|snapshotting|"
        "backing up|archival|dump of|captured|preserved|safeguarded|ever archive|we archive|you archive|archive run|"
        "snap|snapped|covered|secured|archive copy|backup copy|copy in the archive|archived copy|backup run|"
        "backup job|successful backup|successful snapshot|successful backups|good backup|good snapshot|"
        "complete backup|restore point|recovery point|backup point|backed-up|backed|archived version|saved copy|"
        "saved state|stored copy|under backup|backing|being backed up|been backed up|included in the backup|"
        "in the backup|in the backups|take a snapshot|took a snapshot|take a backup|took a backup|"
        "taken a backup|taken a snapshot|make a backup|made a backup|backup process|nightly|nightly backup|capture"
    ),
    "LAST SNAPSHOT": "last archive|last archived|last archiving|last archival",
    "SNAPSHOT NEW": "new snapshot|new backup",
    "SNAPSHOTS": (
        "new snapshots|new backups|snaps|restore points|recovery points|snapshots|backups|back-ups|points in time|"
        "archive copies|backup copies|backups made|snapshots made|snapshots taken|backups taken|snapshot history|"
        "backup history|list of snapshots|"
        "list of backups|snapshots list|archive history|snapshot list|backup list|snapshotting history|saved states|"
        "backup points|archive points|snapshot log|backup log|backup dates|snapshot dates|archived states|"
        "archived copies|stored copies"
    ),
    "STORED": (
        "stored|kept|live|lie|located|location|hdfs path|path in hdfs|in hdfs|lives|hdfs location|hdfs folder|"
        "hdfs directory|hdfs|storage location|archive path|backup path|physically stored|physically|location of|"
        "directory in hdfs|folder in hdfs|location in hdfs|place in hdfs|in the hdfs"
    ),
    "MISSED": "miss|missed|skip|skipped|overlook|overlooked|forget|forgot|forgotten|left out|leave out",
    "REPO": (
        "repo|repository|project|codebase|code base|git repo|git repository|repo name|repository name|source tree|"
        "code repository"
    ),
    "REPOS": (
        "repos|repositories|projects|archives|codebases|code bases|git repos|git repositories|repo names|"
        "repository names|names of the repositories|names of all repositories|code repositories|list of repos|"
        "list of repositories|names of all archived repositories|names of the repos|source trees"
    ),
    "ARCHIVE": (
        "archive|whole archive|entire archive|complete archive|across all repositories|across all repos|"
        "in any repository|in any repo|anywhere in the archive|throughout the archive|across the board|"
        "across everything|across the archive|across the organisation|across the organization|vault|"
        "in the whole archive|everywhere in the archive|whole organisation|any repository|any repo|"
        "all of our repositories|all of our repos|across the whole archive|over all repositories|over all repos|"
        "in all repos|in all repositories"
    ),
    "RESTORE": (
        "brought back|rolled back|rollback|rollbacks|reinstated|revived|rebuilt|restore|restored|restores|restoration|"
        "restorations|recovered|recoveries|restoring|bring back|recover|recovery|restore history|restore requests|"
        "restore request|restored from backup|restore job|restore jobs|restore operations|restore operation|"
        "restore attempts|restore attempt|restored back|restore log|list of restores|recovery operations|"
        "restore actions|being restored|been restored|restores made|restores done|brought back to life|"
        "recovery attempts|restores run|reinstatement|recovery history|recovered back"
    ),
    "FAILED": (
        "went wrong|go wrong|gone wrong|goes wrong|not succeed|not succeeded|not work|not worked|not work out|"
        "went bad|broke|crashed|errored|aborted|went south|go south|fell over|blew up|not go through|did not make it|"
        "not pass|not passed|not passing|failed|fail|failing|unsuccessful|failures|failure|not successful|"
        "did not work|not completed successfully|fail to complete|ended in failure|ended in an error|"
        "ended with an error|with errors|with an error|in error|botched|not gone through|not completed|ended badly|"
        "went belly up|ended up failing|not make it|not made it|unsuccessfully|came to nothing|hit an error|"
        "hit a problem|run into an error|ran into errors|ran into problems|ran into trouble|flunked"
    ),
    "INCOMPLETE": (
        "incomplete|not complete|missing lfs objects|lack lfs objects|without all lfs objects|lacking lfs objects|"
        "with missing lfs objects|partial|not fully complete|missing large files|with missing large files|"
        "lack large files|without all large files|missing objects|missing git lfs objects|partially complete|"
        "only partial|not whole|lfs objects missing|missing lfs files|missing lfs|missing lfs data|lack lfs|"
        "lacks lfs objects|lfs files missing|miss lfs objects|misses lfs objects|miss objects|miss large files"
    ),
    "VERIFY": (
        "verified|verification|verify|integrity check|integrity|validated|audited for integrity|proven|proved|"
        "checksum|checksums|verifying|verifications run|integrity verification|checked for integrity|"
        "checked for damage|checked for corruption|integrity-checked|integrity-check|checked for errors|"
        "integrity test|integrity tests|tested for integrity|health-checked|inspected|inspection|inspections|"
        "verification result|verification status|audited|check-up|checkup|tested|check-ups|bit-rot check|"
        "consistency check|consistency checks|checked over|integrity scan|integrity scans"
    ),
    "NEVER VERIFY": (
        "unverified|never verified|never been verified|not been verified yet|not verified yet|"
        "never been checked for integrity|never had a verification|never proven|have never verified|not ever verified|"
        "not ever been verified|still unverified|never validated|never been validated|without verification|"
        "without a verification|without any verification|never checked|never been checked|not been checked|"
        "not been checked yet|not checked yet|not ever been checked|not ever checked|never inspected|never tested|"
        "never been tested|unchecked|untested|lack a verification|lacks a verification|lack verification|"
        "lacking verification|never had an integrity check|never had a check|not been verified at all|"
        "not verified at all|not been verified so far|not verified so far|not been verified ever|"
        "no verification at all|no verification yet|no verifications|without verifications|"
        "never went through verification|never gone through verification|not had a verification|"
        "not had any verification|yet to be verified|awaiting verification|not been validated|"
        "never underwent verification|not proven|never been inspected|have no verification|has no verification|"
        "not have a verification|never been audited|never been through verification|no integrity check|"
        "without an integrity check|never been integrity-checked|not been checked for integrity|"
        "not had an integrity check|have to be verified|has to be verified|still to be verified|need verification|"
        "needs verification|need to be verified|needs to be verified|to be verified|remain to be verified|"
        "remains to be verified|left to verify|left to be verified|need verifying|needs verifying|"
        "missing a verification|missing verification|missing verifications"
    ),
    "VERIFY FINDING": (
        "verifications find|verification find|verifications found|verification found|verifications turn up|"
        "verifications uncover|verification detect|verification uncover|verification turn up|verification discover|"
        "verification report|verification reveal|verification detected|verification uncovered|verification discovered|"
        "verification reported|verification revealed|verifications detect|verifications detected|verifications report|"
        "verifications reported|verifications reveal|verification complain about|verification result in|"
        "turned up in verification|found by verification|found in verification|found during verification|"
        "found by verifications|found by the verifications|found by the verification|found while verifying|"
        "integrity check find|integrity checks find|integrity check found|integrity checks found|"
        "verification complained about"
    ),
    "FINDING": (
        "defects|defect|damage|corruption|corruptions|faults|fault|broken in|amiss|amiss with|not right with|"
        "the matter with|the matter|is off with|problem|problems|finding|findings|wrong with|wrong|errors|error|issue|"
        "issues|trouble|troubles|irregularity|irregularities|anomaly|anomalies|inconsistency|inconsistencies|"
        "complaint|complaints|deficiency|deficiencies|flaws|flaw|discrepancies|discrepancy|failings|defective about|"
        "bad about|ails|is the trouble|going wrong with|wrong in|fishy|problems found|the problem with|the problem|"
        "problem with|issue with|issues with|bit rot|bitrot|warnings|wrong about|damages|faults found|found problems|"
        "found errors|found defects"
    ),
    "DRILL": (
        "drill|drills|restore drill|restore drills|test restore|test restores|fire drill|fire drills|recovery drill|"
        "recovery drills|restore test|restore tests|restoration drill|restoration drills|restore exercise|"
        "restore exercises|test recovery|test recoveries|rehearsal|rehearsals|practice restore|practice restores|"
        "restore rehearsal|trial restore|trial restores|disaster drill|disaster recovery drill"
    ),
    "HEALTH": (
        "healthy|fine|everything okay with|everything ok with|shape|in good health|condition|in good condition|"
        "how healthy|health|all right|alright|in order|in good shape|health report|health check|status of the archive|"
        "state of the archive|status of the backups|state of the backups|health of|health status|healthiness|okay|ok|"
        "in shape|wellbeing|wellness|overall health|in good order|up to scratch|overall state|general state|"
        "overall status|overall condition|state of things|everything fine|everything ok|everything okay|going well|"
        "looking good|how things stand|in a good state|in a healthy state|status overview|health overview|"
        "status report|archive health|backup health|health of the archive|health of the backups|state of our backups|"
        "state of our archive|status of our backups|status of our archive|state of my backups|safe and sound|"
        "in working order|working fine|working properly|running smoothly|status of all repositories|"
        "status of all repos|status of the repositories|state of the repositories|status of every repository|"
        "state of all repositories|state of health|good|intact|sound"
    ),
    "RUN": "run|dag run|runs|job|airflow run|dag runs|airflow runs|airflow job|pipeline|run id|airflow dag|dag",
    "STATUS": (
        "how are|how far along is|how far is|how far|status|how is|come along|"
        "coming along|progress|progressing|how well|proceeding|completed yet|done yet|over yet|still going on"
    ),
    "RUNNING": (
        "running|in progress|unfinished|under way|underway|not finished|ongoing|pending|still going|still running|"
        "currently running|not done|not done yet|not yet done|not finished yet|not yet finished|incomplete yet|"
        "not over|not over yet|not ended|not yet ended|not completed yet|not complete yet|not yet complete|"
        "not yet completed|active right now|in flight|in process|ongoing right now|outstanding|active at the moment|"
        "going on right now|going on now|running right now|running at the moment|running now|currently in progress|"
        "still in progress|still under way|still open|still pending|still unfinished|still not finished|"
        "still not done|not concluded|being processed|still at it"
    ),
    "AUDIT": (
        "audit|audit log|audit logs|audit trail|audit entries|audit entry|audit log entries|audit records|"
        "audit events|audit record|activity log|log of actions|actions log|log of user actions|log of questions|"
        "audit protocol|access log|audit history|audit journal|log entries|entries in the audit log"
    ),
    "SOURCE": (
        "source|source of|origin|fetched from|upstream|source url|source address|fetched|cloned from|origin url|"
        "remote url|remote of|remote address|original location|original address|mirrored from|pulled from|"
        "source location|source repository|clone url|git url|remote|url of|address of|url|where it was fetched from|"
        "taken from|copied from|imported from|obtained from"
    ),
    "ORG": (
        "belong to|belongs to|owned by|organisation|organization|org|owner|organisations|organizations|belonging to|"
        "under the organisation|under the organization|from the organisation|from the organization|namespace|"
        "of the organisation|of the organization|orgs|that belong to"
    ),
    "REQUESTED": (
        "requested|requested by|asked for|initiated|triggered|ordered|launched|kicked off|started by|set off|"
        "commissioned|performed|carried out|executed|attempted|tried|requested to|was requested|that was asked for|"
        "were asked for|on behalf of|at the request of|requests|request|requests by|request by|requesting|"
        "in the name of|done by|made by whom|run by|done for|were run|was run|did we run|did you run|been run|"
        "have been run|were executed|we run|you run|were held|took place"
    ),
    "ASOF": (
        "as of|as it was|state of|state|as at|as on|the state of|the state|state as of|condition as of|as they were|"
        "like it was|how it was|how it looked|the way it was|the way it looked|in the state of|as things stood|"
        "as it looked|as it stood|as it existed|back on|back in|stood"
    ),
    "STORED SNAPSHOT": "path of the snapshot|path of the backup",
    "FAILED VERIFY / FINDING / FAILED": (
        "broken|bad|faulty|defective|rotten|unhealthy|not healthy|in bad shape|in trouble|sick|ill|not in good shape|"
        "in poor shape|unsound|compromised|damaged|corrupt|corrupted|not intact|invalid|not ok|not okay|not fine|"
        "not sound|not valid|not well|in poor health|in bad health|in bad condition|has errors|have errors|"
        "have problems|has problems|having problems|have issues|has issues|having issues|need attention|"
        "needs attention|needing attention|not all right|not in order"
    ),
    "SUCCEEDED": (
        "passed|pass|successful|successfully|went well|gone well|went fine|went smoothly|completed|done successfully|"
        "went through|"
        "worked out"
    ),
    "FINDING / ": "found|find any|spotted|noticed|identified|encountered|come across|observed|determined",
    "HEALTH / ": "stand|doing|stands|fare|fares|faring",
    "RUN / REQUESTED / ": "ran",
    "STATUS /  / SUCCEEDED": "finish|finished",
    "SUCCEEDED / STATUS": "succeed|succeeded|succeeding|succeeds",
    "RESTORE RUNNING": (
        "currently being restored|being restored right now|being restored now|being restored at the moment|"
        "being restored just now|being recovered|being recovered right now|currently restoring|restoring right now|"
        "being restored currently|being brought back"
    ),
    "AUDIT / RESTORE / ": "ask|asked|asks|asking",
    "SOURCE / ": (
        "come from|comes from|came from|coming from|stem from|stems from|stemming from|originating from|"
        "originate with|originating with"
    ),
    "MOST SNAPSHOT": (
        "by number of snapshots|by snapshots|by number of backups|by the number of snapshots|by snapshot count|"
        "by backup count"
    ),
    "REPO BIGGEST": (
        "repository sizes|repo sizes|sizes of the repositories|sizes of all repositories|sizes of the repos|"
        "project sizes|size of each repository|size of each repo|size of every repository|size of every repo|"
        "size per repository|size per repo|sizes per repository|sizes per repo|storage per repository|"
        "space per repository"
    ),
    "HAVE": "part of|were part of|is part of|belonging|carry|carries|carried|carrying|shoulder|shoulders",
    "STATUS RUN": "run work|run go|runs work",
    "FINDING / FAILED": "went wrong with|goes wrong with|gone wrong with|went wrong in",
    "VERIFY MANY": (
        "verifications|integrity checks|verification runs|verification results|integrity verifications|health checks|"
        "verification history|verification log|verification list|list of verifications"
    ),
    "CHECKED": (
        "last look at|last looked at|last visited|last visit|last polled|last fetched|last contacted|last looked into|"
        "last had a look at"
    ),
    "WHEN SNAPSHOT": "snapshot time|backup time|snapshot date|backup date|time of backup|date of backup",
    "ARCHIVE / REPOS": (
        "all repos|all repositories|all the repositories|all the repos|all our repos|all our repositories|"
        "all of the repositories|all of the repos"
    ),
    "AUDIT QUESTION": "audit questions",
    "LONGAGO": (
        "longest without|gone longest without|gone the longest without|for the longest time|for the longest|longest "
        "ago|the longest ago|the longest time ago|least recently|stalest|"
        "most outdated|most out of date|most stale|oldest last snapshot|oldest latest snapshot|oldest last backup|"
        "oldest latest backup|least recent snapshot|least recent backup"
    ),
    "DEEP": "deep|deeply|thorough|in-depth|in depth",
    "SHALLOW": "shallow",
    "DAG RUN SNAPSHOT": "pivo_snapshot|pivo-snapshot",
    "DAG RUN VERIFY": "pivo_verify|pivo-verify",
    "DAG RUN RESTORE": "pivo_restore|pivo-restore",
    "DAG RUN DRILL": "pivo_drill|pivo-drill",
    "DAG RUN INDEX": "pivo_index|pivo-index",
    "VERIFY RUN": "verification run|verify run|verification job",
}
"""Concepts → phrases, parted by `|`. `A / B` has several meanings, the likeliest first."""
