"""Files, folders, their changes; branches and tags. Data only."""

from __future__ import annotations

CONTENTS: dict[str, str] = {
    "ADDED": (
        "new files|new file|showed up|show up|appeared|appear|came into being|brought in|newly added|new to|brand new|"
        "brand-new|additions|addition|added files|newly created|freshly added|recently added|newly introduced|"
        "birth of|creation of|creation|introduction of|came to be|comes to be|born"
    ),
    "DELETED": (
        "deletion|removal|killed|nuked|zapped|got rid of|rid of|trashed|binned|ditched|axed|deletions|removals|"
        "threw out|thrown out|taken out|took out|gone from|no longer in|no longer there|got deleted|got removed|"
        "deletion of|removal of|not there any more|not there anymore"
    ),
    "DIFF": (
        "diff|diffs|difference|differences|differ|compare|comparison|delta|compared to|compared with|vs|versus|"
        "contrast|changed between|side by side|what is different|how different|line by line|line-by-line|"
        "changeset between|compared against|as compared to|in comparison to|in comparison with|relative to|against|"
        "side-by-side|diffs between|patch between"
    ),
    "BRANCH": (
        "branch|branches|heads|git branch|git branches|branch name|branch names|names of the branches|head refs|"
        "lines of development|development lines"
    ),
    "TAG": (
        "tag|tags|tagged|release|releases|version|versions|git tag|git tags|tag name|tag names|names of the tags|"
        "release tag|release tags|released|releasing|version tag|version tags|milestone|milestones|labels|"
        "release names|version numbers|version number"
    ),
    "REF": "ref|refs|references|git refs|all refs|pointers",
    "POINT": (
        "point|points|pointing|point at|points at|point to|points to|tip|tip of|head of|pointed at|refer to commit|"
        "lead to|leads to|led to|end up at|correspond to|corresponds to|stand for|stands for|stand at|map to|maps to|"
        "refer back to|top of|at the top of|on top of|on the top of"
    ),
    "FILE": (
        "file|files|paths|filename|filenames|file name|file names|file paths|source file|source files|script|scripts|"
        "document|documents|module|modules|names of the files"
    ),
    "FOLDER": (
        "folder|directory|folders|directories|tree|root folder|root directory|top-level folder|top level|top-level|"
        "root|file tree|directory tree|folder structure|directory structure|file structure|subfolder|subdirectory|"
        "subfolders|subdirectories"
    ),
    "CONTENT": (
        "content|contents|read|cat|look like|looked like|inside|text of|say|says|said|body of|wording|what is inside|"
        "what stands in|source code|full text|raw text|raw content|stands in|reads|reading|look inside|peek into|"
        "peek at|view of"
    ),
    "FORCED": (
        "forcepush|forcepushed|force pushing|force-pushing|pushed by force|pushed with force|force-pushed|"
        "force pushed|force-push|force push|force-pushes|force pushes|forced|forced push|forced pushes|forced update|"
        "forced updates|force update|force updates|force-updated|forcibly pushed|forcibly updated|push --force|"
        "--force|non-fast-forward|non-fast-forwards|forced ref updates|push -f|pushed over|overwritten by force"
    ),
    "EXECUTABLE MODE": "executable|executables|executable files",
    "SYMLINK MODE": "symlink|symlinks|symbolic link|symbolic links|soft links",
    "SUBMODULE MODE": "submodule|submodules|git submodules",
    "REFLOG": (
        "ref updates|ref changes|ref history|branch movements|reflog|ref moves|refs moved|refs changed|refs have moved|"
        "refs were moved|branches moved|branches have moved|branch moves|history of refs|updates of refs|ref movements"
    ),
    "BRANCH / ": "any branch|on any branch|in any branch",
    "REWRITTEN": (
        "rewritten|rewrote|history rewritten|rewritten history|history was rewritten|their history rewritten|"
        "rewrite history|rewrote history|rewritten their history|history rewrite|history rewrites|rewriting history|"
        "rewriting of history|history rewriting|change history retroactively|history altered|altered history|rewrites|"
        "rewrite|history was changed|changed their history|their history changed"
    ),
    "HEADBRANCH": (
        "default branch|primary branch|head branch|default|main branch|trunk branch|branch does head point to|"
        "branch does head point at|branch head points to|branch head points at|branch is head|branch is head on|"
        "branch is default|branch is the default|branch is the default one|branch is checked out by default|"
        "main line branch|mainline|branch does head name|primary line|principal branch|branch of head|head 's branch"
    ),
    "REACH": (
        "reachable from|reachable|contained in|reached from|can be reached from|reached by|belong to branch|"
        "belonging to branch|ancestors of|reachable by|leading up to|that lead to|contained on|sitting on|living on"
    ),
    "ADDED / LAST": "new",
    "WHO ADDED": "creator of|creator|inventor of",
    "SOURCE /  / ADDED": "origin of",
    "FILE / STORED": "path",
    "FOLDER SHOW": (
        "directory listing|file listing|listing of files|tree of files|folder listing|list of files|list of the files|"
        "ls -l|ls -la"
    ),
    "SHOW FILE": "ls|dir",
    "MOST FILE OFFILES": "most files|the most files|largest number of files|highest number of files",
    "LEAST FILE OFFILES": "fewest files|the fewest files|least files",
    "CONTENT / ": "look|looks|looked",
}
"""Concepts → phrases, parted by `|`. `A / B` has several meanings, the likeliest first."""
