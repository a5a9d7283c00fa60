"""Forge's projects (004): files, roadmaps, daily sessions, exports."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from stead.apps import forge
from stead.apps.forge import ForgeServices, Mode, ProjectFile, ProjectStatus, exporting
from stead.apps.forge.archives import Archive
from stead.apps.forge.daily_sessions import check_seen
from stead.apps.forge.errors import NothingToExport
from stead.http.counting import count_message
from stead.http.cursors import read_cursor, write_cursor
from stead.http.dependencies import (
    Caller,
    OnceOnly,
    Seeing,
    Writing,
    config_of,
    needs_scope,
    parts_of,
)
from stead.http.project_bodies import (
    AdvanceRoadmap,
    CreateProject,
    DailySessionOut,
    DailySessionPage,
    ExportedToGithub,
    ExportToGithub,
    FileOut,
    FilePage,
    FileSummaryOut,
    FileVersionOut,
    MentorSaid,
    ProjectOut,
    ProjectPage,
    PutFile,
    RoadmapOut,
    RoadmapPage,
    SaveRoadmap,
    SayToMentor,
    UpdateProject,
)
from stead.http.routing import JsonRoute
from stead.identity import Principal

router = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/projects",
    tags=["projects"],
    dependencies=[needs_scope("projects")],
)

_ZIP_BATCH: Final = 20

FilePath = Annotated[str, Path(max_length=500, examples=["src/app/page.tsx"])]
Cursor = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("", response_model=ProjectPage)
async def list_projects(
    caller: Caller,
    tx: Seeing,
    status: ProjectStatus | None = None,
    mode: Mode | None = None,
    user_id: Annotated[UUID | None, Query(description="For services: whose.")] = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> ProjectPage:
    """The caller's projects, newest first."""
    page = await forge.projects.listing(
        tx,
        caller,
        user_id=user_id,
        status=status,
        mode=mode,
        before=read_cursor(cursor),
        limit=limit,
    )
    return ProjectPage(
        items=[ProjectOut.model_validate(project) for project in page.items],
        next_cursor=write_cursor(page.next_before),
    )


@router.post("", response_model=ProjectOut, status_code=201)
async def create_project(body: CreateProject, caller: Caller, tx: Writing, once: OnceOnly) -> Response:
    """Makes a project."""
    if again := await once.before(tx, caller):
        return again
    made = await forge.projects.create(
        tx,
        caller,
        title=body.title,
        mode=body.mode,
        description=body.description,
        tech_stack=body.tech_stack,
        user_id=body.user_id,
    )
    return await once.after(tx, caller, ProjectOut.model_validate(made), 201)


@router.get("/{project_id}", response_model=ProjectOut)
async def get_project(project_id: UUID, caller: Caller, tx: Seeing) -> ProjectOut:
    """One project."""
    return ProjectOut.model_validate(await forge.projects.get(tx, caller, project_id))


@router.patch("/{project_id}", response_model=ProjectOut)
async def update_project(
    project_id: UUID, body: UpdateProject, caller: Caller, tx: Writing
) -> ProjectOut:
    """Changes a project."""
    changes = body.model_dump(mode="json", exclude_unset=True)
    return ProjectOut.model_validate(await forge.projects.update(tx, caller, project_id, changes))


@router.delete("/{project_id}", status_code=204)
async def delete_project(project_id: UUID, caller: Caller, tx: Writing) -> Response:
    """Deletes a project with its files, roadmaps, sessions and jobs."""
    await forge.projects.delete(tx, caller, project_id)
    return Response(status_code=204)


@router.get("/{project_id}/files", response_model=FilePage)
async def list_files(
    project_id: UUID,
    caller: Caller,
    tx: Seeing,
    after: Annotated[str, Query(max_length=500)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> FilePage:
    """A project's files by path, without their contents."""
    found, after_next = await forge.files.listing(tx, caller, project_id, after=after, limit=limit)
    return FilePage(items=[FileSummaryOut.model_validate(file) for file in found], next_after=after_next)


@router.get("/{project_id}/files/{path:path}", response_model=FileOut)
async def get_file(
    project_id: UUID,
    path: FilePath,
    caller: Caller,
    tx: Seeing,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> FileOut:
    """A file, or what it was at a version."""
    return FileOut.model_validate(await forge.files.get(tx, caller, project_id, path, version=version))


# No Idempotency-Key: the same content sent twice is stored once.
@router.put("/{project_id}/files/{path:path}", response_model=FileOut)
async def put_file(
    project_id: UUID, path: FilePath, body: PutFile, caller: Caller, tx: Writing
) -> FileOut:
    """Writes a file. Another content is another version."""
    written = await forge.files.put(
        tx,
        caller,
        project_id,
        path,
        body.content,
        language=body.language,
        if_version=body.if_version,
    )
    return FileOut.model_validate(written)


@router.delete("/{project_id}/files/{path:path}", status_code=204)
async def delete_file(project_id: UUID, path: FilePath, caller: Caller, tx: Writing) -> Response:
    """Deletes a file with its versions."""
    await forge.files.delete(tx, caller, project_id, path)
    return Response(status_code=204)


@router.get("/{project_id}/file-versions/{path:path}", response_model=list[FileVersionOut])
async def list_file_versions(
    project_id: UUID, path: FilePath, caller: Caller, tx: Seeing
) -> list[FileVersionOut]:
    """The versions of a file, newest first."""
    found = await forge.files.versions(tx, caller, project_id, path)
    return [FileVersionOut.model_validate(version) for version in found]


@router.get("/{project_id}/roadmaps", response_model=RoadmapPage)
async def list_roadmaps(
    project_id: UUID, caller: Caller, tx: Seeing, cursor: Cursor = None, limit: Limit = 20
) -> RoadmapPage:
    """A project's roadmaps, newest first."""
    page = await forge.roadmaps.listing(tx, caller, project_id, before=read_cursor(cursor), limit=limit)
    return RoadmapPage(
        items=[RoadmapOut.model_validate(roadmap) for roadmap in page.items],
        next_cursor=write_cursor(page.next_before),
    )


@router.post("/{project_id}/roadmaps", response_model=RoadmapOut, status_code=201)
async def create_roadmap(
    project_id: UUID, body: SaveRoadmap, caller: Caller, tx: Writing, once: OnceOnly
) -> Response:
    """Keeps a curriculum as a roadmap; the roadmap agent does the same with its own."""
    if again := await once.before(tx, caller):
        return again
    made = await forge.roadmaps.create(tx, caller, project_id, body)
    return await once.after(tx, caller, RoadmapOut.model_validate(made), 201)


@router.get("/{project_id}/roadmaps/{roadmap_id}", response_model=RoadmapOut)
async def get_roadmap(project_id: UUID, roadmap_id: UUID, caller: Caller, tx: Seeing) -> RoadmapOut:
    """One roadmap."""
    return RoadmapOut.model_validate(await forge.roadmaps.get(tx, caller, project_id, roadmap_id))


# No Idempotency-Key: a step that is done stays done.
@router.post("/{project_id}/roadmaps/{roadmap_id}/advance", response_model=RoadmapOut)
async def advance_roadmap(
    project_id: UUID, roadmap_id: UUID, body: AdvanceRoadmap, caller: Caller, tx: Writing
) -> RoadmapOut:
    """Notes that a step is done. With the last step of a module the next one opens."""
    return RoadmapOut.model_validate(
        await forge.roadmaps.advance(tx, caller, project_id, roadmap_id, body.finished_step)
    )


@router.delete("/{project_id}/roadmaps/{roadmap_id}", status_code=204)
async def delete_roadmap(project_id: UUID, roadmap_id: UUID, caller: Caller, tx: Writing) -> Response:
    """Deletes a roadmap."""
    await forge.roadmaps.delete(tx, caller, project_id, roadmap_id)
    return Response(status_code=204)


@router.get("/{project_id}/daily-sessions", response_model=DailySessionPage)
async def list_daily_sessions(
    project_id: UUID, caller: Caller, tx: Seeing, cursor: Cursor = None, limit: Limit = 20
) -> DailySessionPage:
    """A project's sessions with the mentor, newest first."""
    page = await forge.daily_sessions.listing(
        tx, caller, project_id, before=read_cursor(cursor), limit=limit
    )
    return DailySessionPage(
        items=[DailySessionOut.model_validate(session) for session in page.items],
        next_cursor=write_cursor(page.next_before),
    )


@router.post("/{project_id}/daily-sessions", response_model=DailySessionOut, status_code=201)
async def start_daily_session(project_id: UUID, caller: Caller, tx: Writing, once: OnceOnly) -> Response:
    """Begins a session with the mentor."""
    if again := await once.before(tx, caller):
        return again
    made = await forge.daily_sessions.start(tx, caller, project_id)
    return await once.after(tx, caller, DailySessionOut.model_validate(made), 201)


@router.get("/{project_id}/daily-sessions/{daily_session_id}", response_model=DailySessionOut)
async def get_daily_session(
    project_id: UUID, daily_session_id: UUID, caller: Caller, tx: Seeing
) -> DailySessionOut:
    """One session with the mentor."""
    return DailySessionOut.model_validate(
        await forge.daily_sessions.get(tx, caller, project_id, daily_session_id)
    )


# No Idempotency-Key, which would keep what was said once more: `after` tells a message that was sent
# before.
@router.post("/{project_id}/daily-sessions/{daily_session_id}/messages", response_model=MentorSaid)
async def say_to_mentor(
    project_id: UUID, daily_session_id: UUID, body: SayToMentor, request: Request, caller: Caller
) -> MentorSaid:
    """Says something; the mentor answers with a question. Nothing is stored when the model fails."""
    await count_message(request, caller)
    parts = parts_of(request)
    async with parts.db.transaction(caller.served(), read_only=True) as tx:
        project = await forge.projects.get(tx, caller, project_id)
        session = await forge.daily_sessions.get(tx, caller, project_id, daily_session_id)
    check_seen(session, body.after)
    answer = await forge.mentoring.answer(_services(request), project, session, body.message)
    async with parts.db.transaction(caller.served()) as tx:
        after = await forge.daily_sessions.append(
            tx,
            caller,
            session,
            said=body.message,
            answer=answer.answer,
            concepts=[concept.strip() for concept in answer.concepts],
        )
    return MentorSaid(answer=answer.answer, session=DailySessionOut.model_validate(after))


@router.delete("/{project_id}/daily-sessions/{daily_session_id}", status_code=204)
async def delete_daily_session(
    project_id: UUID, daily_session_id: UUID, caller: Caller, tx: Writing
) -> Response:
    """Deletes a session with the mentor."""
    await forge.daily_sessions.delete(tx, caller, project_id, daily_session_id)
    return Response(status_code=204)


# No Idempotency-Key: files that GitHub has already make no second commit.
@router.post("/{project_id}/export/github", response_model=ExportedToGithub)
async def export_to_github(
    project_id: UUID, body: ExportToGithub, request: Request, caller: Caller
) -> ExportedToGithub:
    """004: pushes a project's files to GitHub as one commit. The token is used and not kept."""
    db = parts_of(request).db
    async with db.transaction(caller.served()) as tx:
        export = await exporting.prepare(tx, caller, project_id, target="github")
    github: Any = await asyncio.to_thread(importlib.import_module, "stead.apps.forge.github")
    pushed = await github.push(
        config_of(request).github_api_url,
        body.github_token.get_secret_value(),
        body.repo_name,
        export.files,
        f"Export of {' '.join(export.project.title.split())}",
    )
    async with db.transaction(caller.served()) as tx:
        await exporting.note_pushed(
            tx,
            caller,
            export.project,
            commit=pushed.commit_sha,
            pushed=pushed.files_pushed,
        )
    return ExportedToGithub.model_validate(pushed)


@router.get(
    "/{project_id}/export/zip",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}, "description": "A zip archive"}},
)
async def export_as_zip(project_id: UUID, request: Request, caller: Caller) -> StreamingResponse:
    """A project's files as a zip archive, made while it is sent."""
    async with parts_of(request).db.transaction(caller.served()) as tx:
        project = await forge.projects.get(tx, caller, project_id)
        first = await forge.files.contents(tx, caller, project_id, limit=_ZIP_BATCH)
        if not first:
            raise NothingToExport(
                "there is nothing to export", hint="Run the code agent, or put a file."
            )
        await exporting.note_archived(tx, caller, project)
    return StreamingResponse(
        _zipped(request, caller, project, first),
        media_type="application/zip",
        headers={
            "content-disposition": f'attachment; filename="{exporting.archive_name(project.title)}.zip"',
            "cache-control": "no-store",
        },
    )


async def _zipped(
    request: Request, caller: Principal, project: forge.Project, batch: list[ProjectFile]
) -> AsyncIterator[bytes]:
    """Some files a transaction: a slow reader holds none open. Its last bytes make it an archive."""
    archive = Archive(project.updated_at)
    while batch:
        yield await asyncio.to_thread(archive.add, [*exporting.safely_named(batch)])
        async with parts_of(request).db.transaction(caller.served(), read_only=True) as tx:
            # Deleted meanwhile, it must not end as if that were all.
            await forge.projects.get(tx, caller, project.id)
            batch = await forge.files.contents(
                tx, caller, project.id, after=batch[-1].path, limit=_ZIP_BATCH
            )
    yield archive.close()


def _services(request: Request) -> ForgeServices:
    runtime = parts_of(request).runtime
    return ForgeServices(
        engine=runtime.engine, embedder=runtime.embedder, model=runtime.config.loop.model
    )
