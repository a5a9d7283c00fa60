"""What can go wrong with projects and the agents that work on them."""

from stead.core.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, Unavailable


class ProjectUnknown(NotFound):
    """There is no such project."""

    code = "project_unknown"


class ProjectOwnerUnknown(NotFound):
    """There is no such person whose project it could be."""

    code = "project_owner_unknown"


class FileUnknown(NotFound):
    """The project has no such file, or no such version of it."""

    code = "file_unknown"


class RoadmapUnknown(NotFound):
    """The project has no such roadmap."""

    code = "roadmap_unknown"


class DailySessionUnknown(NotFound):
    """The project has no such session."""

    code = "daily_session_unknown"


class FilePathInvalid(Invalid):
    """The path is none that a file of a project can have."""

    code = "file_path_invalid"


class FileChanged(Conflict):
    """The file is at another version."""

    code = "file_changed"


class ProjectFull(Conflict):
    """The project holds as much as it can."""

    code = "project_full"


class ProjectArchived(Conflict):
    """The project is archived."""

    code = "project_archived"


class RoadmapStepLocked(Conflict):
    """That step of the roadmap is not reached yet."""

    code = "roadmap_step_locked"


class DailySessionMoved(Conflict):
    """Somebody said something in this session meanwhile."""

    code = "daily_session_moved"


class DailySessionFull(Conflict):
    """The session is as long as it can be."""

    code = "daily_session_full"


class AgentInputInvalid(Invalid):
    """The agent cannot work with this input."""

    code = "agent_input_invalid"


class SpecificationMissing(Invalid):
    """The agent whose work this one builds on has not done it yet."""

    code = "specification_missing"


class NothingToReview(Invalid):
    """The project has no files that could be reviewed."""

    code = "nothing_to_review"


class ModelAnswerInvalid(Unavailable):
    """The model's answers do not have the form that was asked for."""

    code = "model_answer_invalid"


class NothingToExport(Conflict):
    """The project has no files."""

    code = "nothing_to_export"


class GithubTokenRefused(Invalid):
    """GitHub does not accept this token."""

    code = "github_token_refused"


class GithubPermissionMissing(Forbidden):
    """GitHub does not let this token do that."""

    code = "github_permission_missing"


class GithubRepositoryInvalid(Invalid):
    """GitHub takes no repository of that name."""

    code = "github_repository_invalid"


class GithubRepositoryTaken(Conflict):
    """The repository cannot be written to."""

    code = "github_repository_taken"


class GithubConflict(Conflict):
    """Somebody else pushed to the repository at the same time."""

    code = "github_conflict"


class GithubRefused(Conflict):
    """GitHub refused what was sent."""

    code = "github_refused"


class GithubRateLimited(RateLimited):
    """GitHub takes no more requests with this token for now."""

    code = "github_rate_limited"


class GithubUnavailable(Unavailable):
    """GitHub does not answer."""

    code = "github_unavailable"
