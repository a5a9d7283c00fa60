// Generated from the OpenAPI document by `npm run generate`. Do not edit.

export interface paths {
    "/api/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Open Session
         * @description Starts a session. A caller with a bearer token owns it; anybody else gets a token that holds it,
         *     also as an HttpOnly cookie.
         */
        post: operations["open_session_api_session_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Session
         * @description One of the caller's sessions.
         */
        get: operations["get_session_api_session__session_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Update Session
         * @description Sets contact details and merges answers deeply into the session's context.
         */
        patch: operations["update_session_api_session__session_id__patch"];
        trace?: never;
    };
    "/api/session/{session_id}/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Link Session
         * @description Gives an anonymous session to the person who is signed in and holds its token.
         */
        post: operations["link_session_api_session__session_id__link_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/{session_id}/complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Complete Session
         * @description Marks a session complete, with last answers if there are any.
         */
        post: operations["complete_session_api_session__session_id__complete_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/sessions/{session_id}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close Session
         * @description 000: marks when a session was closed. Closing twice is no error.
         */
        post: operations["close_session_agents_sessions__session_id__close_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Sessions
         * @description The caller's sessions, newest first.
         */
        get: operations["list_sessions_api_sessions_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/{session_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Messages
         * @description A session's messages in order, as ``useChat`` takes them.
         */
        get: operations["list_messages_api_session__session_id__messages_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/{session_id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Runs
         * @description The run log of a session, newest first.
         */
        get: operations["list_runs_api_session__session_id__runs_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/runs/{run_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Run
         * @description One run.
         */
        get: operations["get_run_v1_runs__run_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/{session_id}/messages/{message_id}/feedback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Feedback
         * @description The feedback on an answer.
         */
        get: operations["get_feedback_api_session__session_id__messages__message_id__feedback_get"];
        put?: never;
        /**
         * Give Feedback
         * @description Rates an answer. Sent again it replaces what was given before.
         */
        post: operations["give_feedback_api_session__session_id__messages__message_id__feedback_post"];
        /**
         * Withdraw Feedback
         * @description Takes feedback back. Where there is none, nothing happens.
         */
        delete: operations["withdraw_feedback_api_session__session_id__messages__message_id__feedback_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/catalog": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the catalogue of events
         * @description 003: the events that there are, with their properties. For everybody; it changes with its version.
         */
        get: operations["catalog_api_events_catalog_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send events
         * @description Takes up to a hundred events of the caller's sessions: all of them, or none. An id that is there already is
         *     no error, and changes nothing. What only a server knows is taken of services alone.
         */
        post: operations["send_api_events_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/funnel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the funnel
         * @description Distinct sessions by phase and step, in the order in which they come by: who finished, who went on, who was
         *     not seen again, and who bought or booked. For services and approvers.
         */
        get: operations["funnel_v1_events_funnel_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Chat
         * @description Streams an agent's answer. The answer goes on if the client leaves, and is stored when it ends.
         *
         *     A last message of the assistant with tool parts that are ``approval-responded`` votes on what they ask for, as
         *     the signed-in person; the stream is that of the run that goes on.
         */
        post: operations["chat_api_chat_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/{session_id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Resume
         * @description The stream of the answer that is being given, from its beginning: for a client that lost it.
         */
        get: operations["resume_api_chat__session_id__stream_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/{session_id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop
         * @description Really stops the answer, wherever it is being made. What there is of it is kept.
         */
        post: operations["stop_api_chat__session_id__stop_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/generate/{type}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Latest
         * @description What was generated last for a session: for another device, or another visit. No model is asked.
         */
        get: operations["latest_api_generate__type__get"];
        put?: never;
        /**
         * Generate
         * @description Asks the agent of this type what it makes of the session's context as it is now, and waits for the answer.
         *
         *     The run goes on if the client leaves. Sent again with the same Idempotency-Key, it is the same run that is
         *     waited for, unless that one failed.
         */
        post: operations["generate_api_generate__type__post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/memories/evaluation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Evaluate Memories
         * @description 000: how recall served answers over time, by agent and by embedder.
         */
        get: operations["evaluate_memories_agents_memories_evaluation_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/memories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Memories
         * @description Memories, newest first. With a session only those that come from it.
         */
        get: operations["list_memories_agents_memories_get"];
        put?: never;
        /**
         * Store Memories
         * @description 000: stores what an agent decided to persist. What is known already becomes surer and is not stored again;
         *     what it contradicts is superseded.
         */
        post: operations["store_memories_agents_memories_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/memories/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Search Memories
         * @description Memories for a question, best first. When fewer match than are wanted, the latest fill up with score 0.
         */
        post: operations["search_memories_agents_memories_search_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/memories/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export Memories
         * @description Everything that is stored about a person (or about a session that is nobody's), a JSON object a line. The
         *     last line is of type ``end``: without it the rest was lost on the way.
         */
        get: operations["export_memories_agents_memories_export_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/memories/{memory_id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Memory History
         * @description All versions of a memory, oldest first.
         */
        get: operations["memory_history_agents_memories__memory_id__history_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/memories/{memory_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Memory
         * @description One memory, whether it still holds or not.
         */
        get: operations["get_memory_agents_memories__memory_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete Memory
         * @description Deletes a memory with its older versions, out of table, index and vectors.
         */
        delete: operations["delete_memory_agents_memories__memory_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change Memory
         * @description Corrects a memory. Another content makes a new one, which is answered with and takes the place of this.
         */
        patch: operations["change_memory_agents_memories__memory_id__patch"];
        trace?: never;
    };
    "/api/admin/memories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Inspect Memories
         * @description 000: rows when debugging, also superseded and archived ones, with every counter. With a question: what a
         *     search finds for it, with what each arm says.
         */
        get: operations["inspect_memories_api_admin_memories_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/memories/forget": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Forget
         * @description Erases a memory with what it was said in, a session, or a person, out of every table.
         */
        post: operations["forget_agents_memories_forget_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Agents
         * @description The organisation's agents and the shared ones. A person sees the public ones and those in code.
         */
        get: operations["list_agents_v1_agents_get"];
        put?: never;
        /**
         * Save Agent
         * @description Makes an agent, or changes how it is listed.
         */
        post: operations["save_agent_v1_agents_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{slug}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Versions
         * @description The versions of an agent, newest first.
         */
        get: operations["list_versions_v1_agents__slug__versions_get"];
        put?: never;
        /**
         * Add Version
         * @description Makes the next version; it answers from the next message on.
         */
        post: operations["add_version_v1_agents__slug__versions_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Agents
         * @description Agents for hire: the latest first or, with ``q``, what words and meaning find, best first.
         */
        get: operations["list_agents_api_agents_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{slug}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Agent
         * @description An agent with its endorsements and what is remembered with it.
         */
        get: operations["get_agent_api_agents__slug__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{slug}/listing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Save Listing
         * @description Says what an agent costs, can and is about; replaces what was said before.
         */
        put: operations["save_listing_v1_agents__slug__listing_put"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{slug}/endorsements": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Endorse Agent
         * @description Adds what somebody says of an agent.
         */
        post: operations["endorse_agent_v1_agents__slug__endorsements_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Compare Agents
         * @description Scores agents for a goal, gives each score its reasons, and keeps them with a session.
         */
        post: operations["compare_agents_api_agents_compare_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/compare/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Candidates
         * @description The candidates of a session, the best first.
         */
        get: operations["get_candidates_api_agents_compare__session_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/chat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Chat With Agent
         * @description Streams an agent's answer, and logs the run. Without a session it opens one, which a header names.
         */
        post: operations["chat_with_agent_api_agents_chat_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run Agent
         * @description 000: runs an agent on a prompt, with what is remembered of the session's person.
         */
        post: operations["run_agent_agents_run_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hire/waitlist": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Join Waitlist
         * @description Puts the person of a session on the waitlist for an agent. Twice in a session is once (200).
         */
        post: operations["join_waitlist_api_hire_waitlist_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/waitlist": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Waitlist
         * @description The waitlist, the latest first.
         */
        get: operations["list_waitlist_api_admin_waitlist_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/waitlist/{entry_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Set Waitlist Status
         * @description Notes whether somebody was written to.
         */
        patch: operations["set_waitlist_status_api_admin_waitlist__entry_id__patch"];
        trace?: never;
    };
    "/v1/run-agent": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run an agent on a project
         * @description Enqueues a job and answers at once; follow it at `/v1/jobs/{job_id}/stream`.
         */
        post: operations["run_agent_v1_run_agent_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/run-pipeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run the pipeline on a project
         * @description Research, wireframe, code and quality check, one after the other, as one job.
         */
        post: operations["run_pipeline_v1_run_pipeline_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List jobs
         * @description One's own jobs, or all of the tenant's for its service; the latest first.
         */
        get: operations["listing_v1_jobs_get"];
        put?: never;
        /**
         * Enqueue a job of any kind
         * @description Enqueues a job for a handler of your application.
         */
        post: operations["create_v1_jobs_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How a job stands
         * @description Status, progress and result.
         */
        get: operations["get_v1_jobs__job_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job_id}/details": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All there is to know of a job
         * @description With its questions, attempts and steps.
         */
        get: operations["details_v1_jobs__job_id__details_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{project_id}/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Jobs of a project
         * @description The latest first.
         */
        get: operations["of_project_v1_jobs__project_id__list_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job_id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow a job
         * @description Server-sent events `progress`, `waiting`, `complete`, `error`, `cancelled`; the last three end it.
         *
         *     It begins with how the job stands, or after `Last-Event-ID`.
         */
        get: operations["stream_v1_jobs__job_id__stream_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job_id}/respond": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answer a job's questions
         * @description One answer for each question; the job goes on.
         */
        post: operations["respond_v1_jobs__job_id__respond_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a job
         * @description With all that it spawned; a model call under way is ended.
         */
        post: operations["cancel_v1_jobs__job_id__cancel_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try a job again
         * @description One that failed or was cancelled; finished steps are not repeated.
         */
        post: operations["retry_v1_jobs__job_id__retry_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/queues": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Queues of the tenant
         * @description What waits and runs in each, and how it is limited.
         */
        get: operations["queues_v1_queues_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/queues/{queue}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Pause, weigh or limit a queue
         * @description A paused queue's jobs wait; `max_running` null lifts a limit.
         */
        patch: operations["save_queue_v1_queues__queue__patch"];
        trace?: never;
    };
    "/v1/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Projects
         * @description The caller's projects, newest first.
         */
        get: operations["list_projects_v1_projects_get"];
        put?: never;
        /**
         * Create Project
         * @description Makes a project.
         */
        post: operations["create_project_v1_projects_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Project
         * @description One project.
         */
        get: operations["get_project_v1_projects__project_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete Project
         * @description Deletes a project with its files, roadmaps, sessions and jobs.
         */
        delete: operations["delete_project_v1_projects__project_id__delete"];
        options?: never;
        head?: never;
        /**
         * Update Project
         * @description Changes a project.
         */
        patch: operations["update_project_v1_projects__project_id__patch"];
        trace?: never;
    };
    "/v1/projects/{project_id}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Files
         * @description A project's files by path, without their contents.
         */
        get: operations["list_files_v1_projects__project_id__files_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}/files/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get File
         * @description A file, or what it was at a version.
         */
        get: operations["get_file_v1_projects__project_id__files__path__get"];
        /**
         * Put File
         * @description Writes a file. Another content is another version.
         */
        put: operations["put_file_v1_projects__project_id__files__path__put"];
        post?: never;
        /**
         * Delete File
         * @description Deletes a file with its versions.
         */
        delete: operations["delete_file_v1_projects__project_id__files__path__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}/file-versions/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List File Versions
         * @description The versions of a file, newest first.
         */
        get: operations["list_file_versions_v1_projects__project_id__file_versions__path__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}/roadmaps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Roadmaps
         * @description A project's roadmaps, newest first.
         */
        get: operations["list_roadmaps_v1_projects__project_id__roadmaps_get"];
        put?: never;
        /**
         * Create Roadmap
         * @description Keeps a curriculum as a roadmap; the roadmap agent does the same with its own.
         */
        post: operations["create_roadmap_v1_projects__project_id__roadmaps_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}/roadmaps/{roadmap_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Roadmap
         * @description One roadmap.
         */
        get: operations["get_roadmap_v1_projects__project_id__roadmaps__roadmap_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete Roadmap
         * @description Deletes a roadmap.
         */
        delete: operations["delete_roadmap_v1_projects__project_id__roadmaps__roadmap_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}/roadmaps/{roadmap_id}/advance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Advance Roadmap
         * @description Notes that a step is done. With the last step of a module the next one opens.
         */
        post: operations["advance_roadmap_v1_projects__project_id__roadmaps__roadmap_id__advance_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}/daily-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Daily Sessions
         * @description A project's sessions with the mentor, newest first.
         */
        get: operations["list_daily_sessions_v1_projects__project_id__daily_sessions_get"];
        put?: never;
        /**
         * Start Daily Session
         * @description Begins a session with the mentor.
         */
        post: operations["start_daily_session_v1_projects__project_id__daily_sessions_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}/daily-sessions/{daily_session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Daily Session
         * @description One session with the mentor.
         */
        get: operations["get_daily_session_v1_projects__project_id__daily_sessions__daily_session_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete Daily Session
         * @description Deletes a session with the mentor.
         */
        delete: operations["delete_daily_session_v1_projects__project_id__daily_sessions__daily_session_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}/daily-sessions/{daily_session_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say To Mentor
         * @description Says something; the mentor answers with a question. Nothing is stored when the model fails.
         */
        post: operations["say_to_mentor_v1_projects__project_id__daily_sessions__daily_session_id__messages_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}/export/github": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Export To Github
         * @description 004: pushes a project's files to GitHub as one commit. The token is used and not kept.
         */
        post: operations["export_to_github_v1_projects__project_id__export_github_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{project_id}/export/zip": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export As Zip
         * @description A project's files as a zip archive, made while it is sent.
         */
        get: operations["export_as_zip_v1_projects__project_id__export_zip_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List schedules
         * @description The tenant's own, by name.
         */
        get: operations["listing_v1_schedules_get"];
        put?: never;
        /**
         * Make or change a schedule
         * @description Sent again it changes nothing. One whose times stay the same goes on where it was.
         */
        post: operations["save_v1_schedules_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/shared": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List schedules of every tenant
         * @description What the program does for every tenant by the clock, by name.
         */
        get: operations["list_shared_v1_schedules_shared_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/shared/{name}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause one of every tenant
         * @description For this tenant alone. Twice is no error.
         */
        post: operations["pause_shared_v1_schedules_shared__name__pause_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/shared/{name}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume one of every tenant
         * @description For this tenant alone; a pause for all stays.
         */
        post: operations["resume_shared_v1_schedules_shared__name__resume_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a schedule
         * @description Jobs that it made stay. One that is defined in code is paused instead.
         */
        delete: operations["delete_v1_schedules__name__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{name}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a schedule
         * @description Its ticks pass without a job. Twice is no error.
         */
        post: operations["pause_v1_schedules__name__pause_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules/{name}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a schedule
         * @description It goes on with its next tick; what came meanwhile counts as missed by nobody.
         */
        post: operations["resume_v1_schedules__name__resume_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List tools
         * @description The tenant's and those of code, in their current versions, by slug.
         */
        get: operations["listing_v1_tools_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tools/{slug}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a tool
         * @description Also one that is not to be used: its `status` says so.
         */
        get: operations["show_v1_tools__slug__get"];
        /**
         * Make or change an http tool
         * @description Sent again it changes nothing. Secrets are named, and never stored here.
         */
        put: operations["put_v1_tools__slug__put"];
        post?: never;
        /**
         * Take a tool out of use
         * @description In all its versions. What is under way is stopped when it is claimed.
         */
        delete: operations["retire_v1_tools__slug__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/catalog/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List changes of tools
         * @description What was found to have changed in tools that others define, the latest first.
         */
        get: operations["drifts_v1_catalog_audit_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/catalog/audit/{drift_id}/acknowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Acknowledge a change
         * @description Somebody has looked. The last change that held a tool lets it be used again, as it is now.
         */
        post: operations["acknowledge_v1_catalog_audit__drift_id__acknowledge_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/catalog/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask a provider for its tools
         * @description At once, as a job; and from then on every half hour to an hour.
         */
        post: operations["refresh_v1_catalog_refresh_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/guardrails": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The policy that holds
         * @description What agents of the tenant may do. Its version is the ETag.
         */
        get: operations["show_v1_guardrails_get"];
        /**
         * Set the policy
         * @description Makes a new version; what is left out is as it is by default. With If-Match only on top of that version.
         */
        put: operations["put_v1_guardrails_put"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/guardrails/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Versions of the policy
         * @description The latest first, with who made them and why.
         */
        get: operations["versions_v1_guardrails_versions_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/guardrails/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What would be decided
         * @description By the policy that holds, or by a proposed one. Nothing is kept.
         */
        post: operations["try_action_v1_guardrails_test_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/guardrails/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What another policy would have decided
         * @description Makes past decisions again with a proposed policy, from what was known then.
         */
        post: operations["replay_v1_guardrails_replay_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/guardrails/suggestions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A threshold that the past speaks for
         * @description From the outcomes of actions alike, or of the latest ones. It is never applied by itself.
         */
        get: operations["suggestions_v1_guardrails_suggestions_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/objectives": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List objectives
         * @description What the tenant wants to reach, the latest first.
         */
        get: operations["list_objectives_v1_objectives_get"];
        put?: never;
        /**
         * Make an objective
         * @description Takes an Idempotency-Key.
         */
        post: operations["create_objective_v1_objectives_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/objectives/{objective_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One objective
         * @description As it stands.
         */
        get: operations["show_objective_v1_objectives__objective_id__get"];
        /**
         * Change an objective
         * @description All of it; what is left out is empty.
         */
        put: operations["change_objective_v1_objectives__objective_id__put"];
        post?: never;
        /**
         * Delete an objective
         * @description For good.
         */
        delete: operations["delete_objective_v1_objectives__objective_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/outbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List actions
         * @description Of a person what they or their agents proposed; of an approver and a service the tenant's; latest first.
         */
        get: operations["listing_v1_outbox_get"];
        put?: never;
        /**
         * Propose an action
         * @description It runs at once, later, or after somebody approved it, as the policy says. 200 for a key that is known.
         */
        post: operations["propose_v1_outbox_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/outbox/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Depth of the outbox
         * @description For services and approvers: what is not over, by state, and how many dead letters there are.
         */
        get: operations["status_v1_outbox_status_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/outbox/dlq": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List dead letters
         * @description Actions that were given up, the latest first.
         */
        get: operations["letters_v1_outbox_dlq_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/outbox/dlq/drain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take dead letters out
         * @description The oldest ones, each judged anew. Those whose tool cannot be used stay.
         */
        post: operations["drain_v1_outbox_dlq_drain_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/outbox/dlq/{envelope_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take one dead letter out
         * @description Judged anew, with the tool as it is now; its attempts begin again.
         */
        post: operations["retry_v1_outbox_dlq__envelope_id__retry_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/outbox/{envelope_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read an action
         * @description With its attempts and approvals; for services also every decision, with the reason of every rule.
         */
        get: operations["show_v1_outbox__envelope_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Edit an action
         * @description What waits for an approval or its time gets other arguments: another version, judged and asked for anew.
         */
        patch: operations["edit_v1_outbox__envelope_id__patch"];
        trace?: never;
    };
    "/v1/outbox/{envelope_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Call an action back
         * @description One's own, or for a service the tenant's, while it does not run.
         */
        post: operations["cancel_v1_outbox__envelope_id__cancel_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/outbox/{envelope_id}/resolve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say what became of an action
         * @description Of one whose outcome is not known: it had its effect; it had none, and is tried again; or nobody knows.
         */
        post: operations["resolve_v1_outbox__envelope_id__resolve_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/links/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show what a link is for
         * @description A page with what would run. It changes nothing: mail programs open links.
         */
        get: operations["show_v1_approvals_links__token__get"];
        put?: never;
        /**
         * Vote by a link
         * @description As the person that it was made for, once, on exactly what the page showed.
         */
        post: operations["vote_v1_approvals_links__token__post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List approvals
         * @description `mine`: those that the caller could give now. `all`: those that the caller may see. The latest first.
         */
        get: operations["listing_v1_approvals_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/delegations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List delegations
         * @description Those that have not ended: the caller's own, to the caller, and for a service all of the tenant.
         */
        get: operations["delegations_v1_approvals_delegations_get"];
        put?: never;
        /**
         * Let another vote
         * @description In one's place, for a time.
         */
        post: operations["delegate_v1_approvals_delegations_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/delegations/{delegation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End a delegation
         * @description Votes that were given stand.
         */
        delete: operations["revoke_v1_approvals_delegations__delegation_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{approval_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read an approval
         * @description With exactly what would run, and how people voted.
         */
        get: operations["show_v1_approvals__approval_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{approval_id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve
         * @description Exactly what one looked at: `digest` names it.
         */
        post: operations["approve_v1_approvals__approval_id__approve_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{approval_id}/reject": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reject
         * @description One vote against it ends it; the reason is told to who proposed it.
         */
        post: operations["reject_v1_approvals__approval_id__reject_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{approval_id}/edit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Edit, then approve
         * @description The action gets other arguments and is asked for anew; with `approve` the caller votes for it at once.
         *
         *     The edit stands where the vote does not count: where it takes two, whoever edited is none of them.
         */
        post: operations["edit_v1_approvals__approval_id__edit_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{approval_id}/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a link for one vote
         * @description For one person, to be sent to them alone. It is good until the approval expires, for a week at most.
         */
        post: operations["link_v1_approvals__approval_id__links_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List approvers
         * @description Everybody who may approve in the tenant, and up to which tier.
         */
        get: operations["list_approvers_v1_approvers_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvers/{profile_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Make somebody an approver
         * @description Sent again it changes the tier.
         */
        put: operations["put_approver_v1_approvers__profile_id__put"];
        post?: never;
        /**
         * Let somebody approve no more
         * @description Votes that were given stand.
         */
        delete: operations["delete_approver_v1_approvers__profile_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List webhook endpoints
         * @description The tenant's.
         */
        get: operations["listing_v1_webhook_endpoints_get"];
        put?: never;
        /**
         * Add a webhook endpoint
         * @description What is told is signed with a secret of its own, and sent through the outbox until it is taken.
         */
        post: operations["add_v1_webhook_endpoints_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpoint_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a webhook endpoint
         * @description What is on its way is not sent any more.
         */
        delete: operations["delete_v1_webhook_endpoints__endpoint_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change a webhook endpoint
         * @description Pausing gives up what is on its way.
         */
        patch: operations["change_v1_webhook_endpoints__endpoint_id__patch"];
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpoint_id}/rotate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a webhook endpoint another secret
         * @description From now on nothing is signed with the one before.
         */
        post: operations["rotate_v1_webhook_endpoints__endpoint_id__rotate_secret_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the audit log
         * @description Rows, newest first: all of the tenant for its service, for a person what they did and what concerns them.
         */
        get: operations["listing_v1_audit_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search what happened
         * @description The log, what tools answered and what was proposed, by words and by meaning, best first.
         */
        get: operations["search_v1_audit_search_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List connected accounts
         * @description One's own, or all of the tenant's for its service; the latest first.
         */
        get: operations["listing_v1_accounts_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Connect an account
         * @description Begins it, and answers with where the person connects the account; a job waits until they have.
         *
         *     Each call begins another one. `redirect_url` is told this once.
         */
        post: operations["link_v1_accounts_link_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{account_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How a connected account stands
         * @description As it was last heard of.
         */
        get: operations["get_v1_accounts__account_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{account_id}/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask how a connected account stands
         * @description Asks its provider, and stores what it says.
         */
        post: operations["refresh_v1_accounts__account_id__refresh_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{account_id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a connected account
         * @description No tool acts through it any more; a job has its provider give up its credentials. Twice is no error.
         */
        post: operations["revoke_v1_accounts__account_id__revoke_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/composio": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a webhook of Composio
         * @description For Composio alone: signed in the form of Standard Webhooks. What was received before is not done again.
         */
        post: operations["composio_v1_webhooks_composio_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/whop/{org}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a webhook of Whop
         * @description For Whop alone: signed in the form of Standard Webhooks. `payment.succeeded` is recorded once, as
         *     `conversion.checkout_completed`; others are received and ignored.
         */
        post: operations["whop_v1_webhooks_whop__org__post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/calendly/{org}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a webhook of Calendly
         * @description For Calendly alone, signed by it. `invitee.created` is recorded once, as `conversion.call_booked`; others,
         *     and calls that were moved, are received and ignored.
         */
        post: operations["calendly_v1_webhooks_calendly__org__post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evidence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List evidence
         * @description Newest first.
         */
        get: operations["listing_v1_evidence_get"];
        put?: never;
        /**
         * Record evidence
         * @description It is found by its words at once, and by its meaning as soon as a worker has made its vector.
         */
        post: operations["record_v1_evidence_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evidence/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Search evidence
         * @description By words and by meaning, best first.
         */
        post: operations["search_v1_evidence_search_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evidence/scopes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List needed scopes
         * @description Which scope a key that was made with scopes needs, to write evidence of a kind.
         */
        get: operations["list_scopes_v1_evidence_scopes_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evidence/scopes/{source_type}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Need a scope
         * @description From now on evidence of that kind is written by no key without the scope. The database holds it.
         */
        put: operations["need_scope_v1_evidence_scopes__source_type__put"];
        post?: never;
        /**
         * Need no scope
         * @description Twice is no error.
         */
        delete: operations["release_scope_v1_evidence_scopes__source_type__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evidence/{evidence_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get evidence
         * @description One piece of evidence.
         */
        get: operations["get_v1_evidence__evidence_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete evidence
         * @description With the files that belong to it.
         */
        delete: operations["delete_v1_evidence__evidence_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List files
         * @description Newest first.
         */
        get: operations["listing_v1_artifacts_get"];
        put?: never;
        /**
         * Store a file
         * @description The body is the file, of any length up to the limit; its Content-Type is what it is served as.
         */
        post: operations["store_v1_artifacts_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/artifacts/{artifact_id}/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a link
         * @description Whoever has it downloads the file until it expires: of S3 from the bucket itself, else from here.
         */
        post: operations["link_v1_artifacts__artifact_id__link_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/artifacts/{artifact_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a file's description
         * @description Without its bytes: ask for a link.
         */
        get: operations["get_v1_artifacts__artifact_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete a file
         * @description Links end at once where Stead serves them; the bucket loses the object soon after.
         */
        delete: operations["delete_v1_artifacts__artifact_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Keys
         * @description All keys, newest first.
         */
        get: operations["list_keys_v1_api_keys_get"];
        put?: never;
        /**
         * Create Key
         * @description Makes a key. It may do no more than the key that makes it.
         */
        post: operations["create_key_v1_api_keys_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke Key
         * @description Ends a key at once, and within seconds what it follows.
         */
        delete: operations["revoke_key_v1_api_keys__key_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Changes
         * @description Changes of a table that the caller may see, as they are committed, as server-sent events.
         */
        get: operations["changes_v1_changes_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Healthz
         * @description The process lives and serves.
         */
        get: operations["healthz_healthz_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Readyz
         * @description The database answers and its schema is this version's.
         */
        get: operations["readyz_readyz_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Status
         * @description What this server is and how it does, in words and figures; 503 when it cannot serve.
         */
        get: operations["status_api_status_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/artifacts/{artifact_id}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download a file
         * @description Opened by a link that `POST /v1/artifacts/{artifact_id}/link` gave, without anything else. Parts of it by
         *     `Range`.
         */
        get: operations["content_v1_artifacts__artifact_id__content_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Accepted
         * @description A job was enqueued.
         */
        Accepted: {
            /**
             * Job Id
             * Format: uuid
             */
            job_id: string;
            /**
             * Status
             * @default queued
             * @constant
             */
            status?: "queued";
            /**
             * Estimated Time
             * @example 30s
             */
            estimated_time: string;
        };
        /**
         * AccountOut
         * @description A connected account as it stands.
         */
        AccountOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Profile Id */
            profile_id: string | null;
            /** Provider */
            provider: string;
            /** Toolkit */
            toolkit: string;
            /** External Id */
            external_id: string;
            /**
             * Status
             * @enum {string}
             */
            status: "initializing" | "initiated" | "active" | "inactive" | "failed" | "expired" | "revoked";
            /** Scopes */
            scopes: string[];
            /** Linked At */
            linked_at: string | null;
            /** Expires At */
            expires_at: string | null;
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * AccountPage
         * @description Some accounts, and where the next ones are.
         */
        AccountPage: {
            /** Items */
            items: components["schemas"]["AccountOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * AddEndpoint
         * @description Where to tell, and of what.
         */
        AddEndpoint: {
            /**
             * Url
             * @example https://hooks.example.com/stead
             */
            url: string;
            /**
             * Events
             * @example [
             *       "approval.requested",
             *       "envelope.dead"
             *     ]
             */
            events?: string[];
        };
        /**
         * AdvanceRoadmap
         * @description The step that is done, counted over all modules, from 0.
         */
        AdvanceRoadmap: {
            /**
             * Finished Step
             * @example 0
             */
            finished_step: number;
        };
        /**
         * AgentIn
         * @description The agent that proposes, and for whom: a service says so.
         */
        AgentIn: {
            /**
             * Name
             * @example concierge
             */
            name: string;
            /**
             * Profile Id
             * @example null
             */
            profile_id?: string | null;
            /**
             * Run Id
             * @example null
             */
            run_id?: string | null;
            /**
             * Session Id
             * @example null
             */
            session_id?: string | null;
        };
        /**
         * AgentOut
         * @description An agent as the catalogue lists it.
         */
        AgentOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Slug */
            slug: string;
            /** Name */
            name: string;
            /** Tagline */
            tagline: string | null;
            /** Description */
            description: string | null;
            /** Visibility */
            visibility: string;
            /** Generates */
            generates: string | null;
            /** Version */
            version: number | null;
            /** Model */
            model: string | null;
            /** Shared */
            shared: boolean;
        };
        /**
         * AnswerIn
         * @description The answer to one question.
         */
        AnswerIn: {
            /** Question Id */
            question_id: string;
            /** Answer */
            answer: string;
        };
        /**
         * ApprovalDetails
         * @description An approval with its votes.
         */
        ApprovalDetails: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Envelope Id
             * Format: uuid
             */
            envelope_id: string;
            /** Envelope Version */
            envelope_version: number;
            /** Digest */
            digest: string;
            /**
             * Status
             * @enum {string}
             */
            status: "pending" | "approved" | "rejected" | "expired" | "superseded" | "cancelled";
            /**
             * Risk
             * @enum {string}
             */
            risk: "low" | "medium" | "high" | "critical";
            /** Quorum */
            quorum: number;
            /** Approvals */
            approvals: number;
            /** Reasons */
            reasons: {
                [key: string]: unknown;
            }[];
            /** Policy Version */
            policy_version: number;
            /** Proposer Id */
            proposer_id: string | null;
            /** By Agent */
            by_agent: boolean;
            /** Edited By */
            edited_by: string | null;
            /** Not Before */
            not_before: string | null;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Escalated At */
            escalated_at: string | null;
            /** Decided At */
            decided_at: string | null;
            /** Used At */
            used_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Tool Slug */
            tool_slug: string;
            /** Arguments */
            arguments: {
                [key: string]: unknown;
            };
            /** Connected Account Id */
            connected_account_id: string | null;
            /** Votes */
            votes: components["schemas"]["BallotOut"][];
        };
        /**
         * ApprovalOut
         * @description A request for people to agree to exactly one action.
         */
        ApprovalOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Envelope Id
             * Format: uuid
             */
            envelope_id: string;
            /** Envelope Version */
            envelope_version: number;
            /** Digest */
            digest: string;
            /**
             * Status
             * @enum {string}
             */
            status: "pending" | "approved" | "rejected" | "expired" | "superseded" | "cancelled";
            /**
             * Risk
             * @enum {string}
             */
            risk: "low" | "medium" | "high" | "critical";
            /** Quorum */
            quorum: number;
            /** Approvals */
            approvals: number;
            /** Reasons */
            reasons: {
                [key: string]: unknown;
            }[];
            /** Policy Version */
            policy_version: number;
            /** Proposer Id */
            proposer_id: string | null;
            /** By Agent */
            by_agent: boolean;
            /** Edited By */
            edited_by: string | null;
            /** Not Before */
            not_before: string | null;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Escalated At */
            escalated_at: string | null;
            /** Decided At */
            decided_at: string | null;
            /** Used At */
            used_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Tool Slug */
            tool_slug: string;
            /** Arguments */
            arguments: {
                [key: string]: unknown;
            };
            /** Connected Account Id */
            connected_account_id: string | null;
        };
        /**
         * ApprovalPage
         * @description Some approvals, the latest first.
         */
        ApprovalPage: {
            /** Items */
            items: components["schemas"]["ApprovalOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * Approve
         * @description A vote for exactly what one looked at.
         */
        Approve: {
            /**
             * Digest
             * @example 0000000000000000000000000000000000000000000000000000000000000000
             */
            digest: string;
            /** Reason */
            reason?: string | null;
            /**
             * Counts For
             * @description Who delegated to the caller.
             */
            counts_for?: string | null;
        };
        /**
         * ApproverOut
         * @description Somebody who may approve, up to a tier.
         */
        ApproverOut: {
            /**
             * Profile Id
             * Format: uuid
             */
            profile_id: string;
            /** Email */
            email: string | null;
            /**
             * Most Risk
             * @enum {string}
             */
            most_risk: "low" | "medium" | "high" | "critical";
        };
        /**
         * ArtifactOut
         * @description A file, without its bytes.
         */
        ArtifactOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Evidence Id */
            evidence_id: string | null;
            /** Envelope Id */
            envelope_id: string | null;
            /** Bucket */
            bucket: string;
            /** Name */
            name: string;
            /** Media Type */
            media_type: string;
            /** Bytes */
            bytes: number;
            /**
             * Sha256
             * @description In hex.
             */
            sha256: string;
            /** Profile Id */
            profile_id: string | null;
            /** Expires At */
            expires_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * AskedAction
         * @description An action that somebody asks about.
         */
        AskedAction: {
            /**
             * Tool
             * @example mail.send
             */
            tool: string;
            /**
             * Version
             * @default 1
             */
            version?: string;
            /**
             * Provider
             * @default local
             */
            provider?: string;
            /**
             * Risk
             * @default low
             * @enum {string}
             */
            risk?: "low" | "medium" | "high" | "critical";
            /** Required Scopes */
            required_scopes?: string[];
            /** Account Id */
            account_id?: string | null;
            /** Arguments */
            arguments?: {
                [key: string]: unknown;
            };
            /** Amount */
            amount?: number | string | null;
            /**
             * Spends
             * @default false
             */
            spends?: boolean;
            /**
             * Evidence
             * @default 0
             */
            evidence?: number;
            /** Confidence */
            confidence?: number | null;
            /** Trust Context */
            trust_context?: {
                [key: string]: unknown;
            };
        };
        /**
         * AskedFacts
         * @description What is to be taken for known; what is left out is what the database knows.
         */
        AskedFacts: {
            /** Trust */
            trust?: number | null;
            /** Granted Scopes */
            granted_scopes?: string[] | null;
            /** Account Status */
            account_status?: string | null;
            /** Actions Last Minute */
            actions_last_minute?: number | null;
            /** Actions Last Hour */
            actions_last_hour?: number | null;
            /** Spent Today */
            spent_today?: number | string | null;
            /**
             * Tool Known
             * @default true
             */
            tool_known?: boolean;
            /**
             * Approved
             * @default false
             */
            approved?: boolean;
        };
        /**
         * AttemptOut
         * @description A call that may have been made. Without an outcome it is under way, or its process ended without a word.
         */
        AttemptOut: {
            /** Attempt */
            attempt: number;
            /**
             * Started At
             * Format: date-time
             */
            started_at: string;
            /** Ended At */
            ended_at: string | null;
            /** Outcome */
            outcome: string | null;
            /** Result */
            result: unknown;
            /** Error */
            error: string | null;
            /** Error Code */
            error_code: string | null;
            /** Provider Id */
            provider_id: string | null;
            /** Duration Ms */
            duration_ms: number | null;
        };
        /**
         * AuditPageOut
         * @description Some rows, and the cursor of the next ones.
         */
        AuditPageOut: {
            /** Items */
            items: components["schemas"]["AuditRowOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * AuditRowOut
         * @description A row of the log.
         */
        AuditRowOut: {
            /** Id */
            id: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Actor Type */
            actor_type: string;
            /** Actor Id */
            actor_id: string | null;
            /** Category */
            category: string;
            /** Action */
            action: string;
            /** Subject Type */
            subject_type: string | null;
            /** Subject Id */
            subject_id: string | null;
            /** Subject Profile Id */
            subject_profile_id: string | null;
            /** Request Id */
            request_id: string | null;
            /** Payload */
            payload: {
                [key: string]: unknown;
            };
            /** Texts */
            texts: {
                [key: string]: string;
            } | null;
        };
        /**
         * BallotOut
         * @description How somebody voted, and in whose name.
         */
        BallotOut: {
            /**
             * Counts For
             * Format: uuid
             */
            counts_for: string;
            /**
             * Profile Id
             * Format: uuid
             */
            profile_id: string;
            /**
             * Vote
             * @enum {string}
             */
            vote: "approve" | "reject";
            /** Reason */
            reason: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * CandidateOut
         * @description How well an agent fits.
         */
        CandidateOut: {
            agent: components["schemas"]["ListingOut"];
            /** Fit Score */
            fit_score: number;
            /** Rank */
            rank: number;
            /** Rationale */
            rationale: string[];
            /** Factors */
            factors: components["schemas"]["FactorOut"][];
        };
        /**
         * CatalogueOut
         * @description 003's events.
         */
        CatalogueOut: {
            /** Version */
            version: number;
            /** Events */
            events: components["schemas"]["EventTypeOut"][];
        };
        /**
         * CeilingsDocument
         * @description How much at most.
         */
        CeilingsDocument: {
            /** Per Minute */
            per_minute?: number | null;
            /** Per Hour */
            per_hour?: number | null;
            /** Per Day Amount */
            per_day_amount?: number | string | null;
            /** Per Action Amount */
            per_action_amount?: number | string | null;
        };
        /**
         * ChangeEndpoint
         * @description What is to change; what is left out stays.
         */
        ChangeEndpoint: {
            /** Events */
            events?: string[] | null;
            /**
             * Paused
             * @example true
             */
            paused?: boolean | null;
        };
        /**
         * ChangeMemory
         * @description A correction: of the content (a new memory takes the place of this one) or beside it (in place).
         */
        ChangeMemory: {
            /**
             * Content
             * @example I live in Lisbon.
             */
            content?: string | null;
            /** Importance */
            importance?: number | null;
            /** Metadata */
            metadata?: {
                [key: string]: unknown;
            } | null;
            /** Embedding */
            embedding?: number[] | null;
        };
        /**
         * Chat
         * @description 003: ``{sessionId, agentId, message}``. `useChat`: ``{id, messages, trigger, messageId}``, where ``id``
         *     is the session; ``{id, message}`` works too.
         * @example {
         *       "agentId": "rafael-chat",
         *       "message": "How do I raise my prices?",
         *       "sessionId": "0192d3a4-7c1e-7d55-9f3e-3f1f6f0f2b11"
         *     }
         */
        Chat: {
            /** Sessionid */
            sessionId?: string | null;
            /** Id */
            id?: string | null;
            /**
             * Agentid
             * @default concierge
             */
            agentId?: string;
            /** Message */
            message?: string | components["schemas"]["UIMessage"] | null;
            /** Messages */
            messages?: components["schemas"]["UIMessage"][] | null;
            /**
             * Trigger
             * @default submit-message
             * @enum {string}
             */
            trigger?: "submit-message" | "regenerate-message";
            /** Messageid */
            messageId?: string | null;
        };
        /**
         * ChatMessageReceivedEvent
         * @description An agent's answer is complete.
         */
        ChatMessageReceivedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "chat.message_received";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["ChatMessageReceivedProperties"];
        };
        /**
         * ChatMessageReceivedProperties
         * @description Its properties.
         */
        ChatMessageReceivedProperties: {
            /**
             * Sessionid
             * Format: uuid
             * @description The session.
             */
            sessionId: string;
            /**
             * Responselength
             * @description Characters of the answer.
             */
            responseLength: number;
            /**
             * Latency
             * @description From the message to the answer's end.
             */
            latency: number;
        };
        /**
         * ChatMessageSentEvent
         * @description Somebody sends a message.
         */
        ChatMessageSentEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "chat.message_sent";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["ChatMessageSentProperties"];
        };
        /**
         * ChatMessageSentProperties
         * @description Its properties.
         */
        ChatMessageSentProperties: {
            /**
             * Sessionid
             * Format: uuid
             * @description The session.
             */
            sessionId: string;
            /**
             * Messagelength
             * @description Characters of the message.
             */
            messageLength: number;
        };
        /**
         * ChatWithAgent
         * @description A message to an agent. Without a session a new one is made.
         */
        ChatWithAgent: {
            /**
             * Agent
             * @example concierge
             */
            agent: string;
            /**
             * Message
             * @example What would you do first?
             */
            message: string;
            /** Session Id */
            session_id?: string | null;
            /** Message Id */
            message_id?: string | null;
            /** Metadata */
            metadata?: {
                [key: string]: unknown;
            };
        };
        /**
         * Closed
         * @description 000: when it ended.
         */
        Closed: {
            /**
             * Session Id
             * Format: uuid
             */
            session_id: string;
            /**
             * Closed At
             * Format: date-time
             */
            closed_at: string;
        };
        /**
         * Compare
         * @description What somebody looks for.
         */
        Compare: {
            /**
             * Goal
             * @example Hire two backend engineers
             */
            goal: string;
            /** Agents */
            agents?: string[];
            /** Tags */
            tags?: string[];
            /** Industries */
            industries?: string[];
            /** Min Rating */
            min_rating?: number | null;
            /** Max Price */
            max_price?: number | null;
            /** Pricing Model */
            pricing_model?: string | null;
            /**
             * Limit
             * @default 5
             */
            limit?: number;
            /** Weights */
            weights?: {
                [key: string]: number;
            };
            /**
             * Reasons
             * @default model
             * @enum {string}
             */
            reasons?: "rules" | "model";
            /** Session Id */
            session_id?: string | null;
            /**
             * Profile Id
             * @description For services: for whom.
             */
            profile_id?: string | null;
            /** Metadata */
            metadata?: {
                [key: string]: unknown;
            };
        };
        /**
         * Compared
         * @description A comparison.
         */
        Compared: {
            /**
             * Session Id
             * Format: uuid
             */
            session_id: string;
            /** Candidates */
            candidates: components["schemas"]["CandidateOut"][];
            /**
             * Reasons By
             * @enum {string}
             */
            reasons_by: "rules" | "model";
            /** Notice */
            notice: string | null;
        };
        /**
         * CompleteSession
         * @description 003: last answers.
         */
        CompleteSession: {
            /**
             * Context
             * @example {
             *       "goal": "book a call"
             *     }
             */
            context?: {
                [key: string]: unknown;
            } | null;
        };
        /**
         * Component
         * @description A part of a page.
         */
        Component: {
            /** Name */
            name: string;
            /** Props */
            props: string[];
            /** Children */
            children: string[];
        };
        /**
         * ContentServedEvent
         * @description A video or another resource is shown.
         */
        ContentServedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "content.served";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["ContentServedProperties"];
        };
        /**
         * ContentServedProperties
         * @description Its properties.
         */
        ContentServedProperties: {
            /**
             * Sessionid
             * Format: uuid
             * @description The session.
             */
            sessionId: string;
            /**
             * Contenttype
             * @description What kind of content it is.
             * @example video
             */
            contentType: string;
            /**
             * Contentid
             * @description Which one.
             * @example pricing-101
             */
            contentId: string;
        };
        /**
         * ConversionCallBookedEvent
         * @description The calendar says that a call was booked.
         */
        ConversionCallBookedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "conversion.call_booked";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["ConversionCallBookedProperties"];
        };
        /**
         * ConversionCallBookedProperties
         * @description Its properties.
         */
        ConversionCallBookedProperties: {
            /**
             * Sessionid
             * @description The session; absent where the calendar was told of none.
             */
            sessionId?: string | null;
            /**
             * Calendlyurl
             * @description The booked call, by the calendar's address of it.
             * @example https://api.calendly.com/scheduled_events/abc
             */
            calendlyUrl?: string | null;
        };
        /**
         * ConversionCheckoutCompletedEvent
         * @description The shop says that a purchase was paid.
         */
        ConversionCheckoutCompletedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "conversion.checkout_completed";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["ConversionCheckoutCompletedProperties"];
        };
        /**
         * ConversionCheckoutCompletedProperties
         * @description Its properties.
         */
        ConversionCheckoutCompletedProperties: {
            /**
             * Sessionid
             * @description The session; absent where the shop was told of none.
             */
            sessionId?: string | null;
            /**
             * Planid
             * @description The plan, by the shop's id.
             * @example plan_abc
             */
            planId?: string | null;
            /**
             * Amount
             * @description What was paid; in US dollars where the shop says so.
             */
            amount?: number | null;
        };
        /**
         * ConversionCheckoutStartedEvent
         * @description The checkout is opened.
         */
        ConversionCheckoutStartedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "conversion.checkout_started";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["ConversionCheckoutStartedProperties"];
        };
        /**
         * ConversionCheckoutStartedProperties
         * @description Its properties.
         */
        ConversionCheckoutStartedProperties: {
            /**
             * Sessionid
             * Format: uuid
             * @description The session.
             */
            sessionId: string;
            /**
             * Planid
             * @description The plan, by the shop's id.
             * @example plan_abc
             */
            planId: string;
        };
        /**
         * ConversionReceived
         * @description What became of a webhook: an event; nothing, as it came before; nothing, as it is about something else.
         */
        ConversionReceived: {
            /**
             * Outcome
             * @enum {string}
             */
            outcome: "recorded" | "repeated" | "ignored";
        };
        /**
         * CreateJob
         * @description A job of any kind that a handler is registered for.
         */
        CreateJob: {
            /**
             * Kind
             * @example research
             */
            kind: string;
            /** Input */
            input?: {
                [key: string]: unknown;
            };
            /** Project Id */
            project_id?: string | null;
            /**
             * Queue
             * @example default
             */
            queue?: string | null;
            /**
             * Priority
             * @default 0
             */
            priority?: number;
            /**
             * Run At
             * @example 2026-11-21T07:00:00Z
             */
            run_at?: string | null;
            /** Dedupe Key */
            dedupe_key?: string | null;
            /** Max Attempts */
            max_attempts?: number | null;
            /** Timeout S */
            timeout_s?: number | null;
        };
        /**
         * CreateKey
         * @description A key to be made.
         */
        CreateKey: {
            /**
             * Name
             * @example web backend
             */
            name: string;
            /** Scopes */
            scopes?: string[];
            /** Expires At */
            expires_at?: string | null;
        };
        /**
         * CreateProject
         * @description A project to be made. A service says whose.
         */
        CreateProject: {
            /**
             * Title
             * @example Pawlog
             */
            title: string;
            /**
             * Mode
             * @default builder
             * @enum {string}
             */
            mode?: "builder" | "student";
            /**
             * Description
             * @example A CRM for dog walkers
             */
            description?: string | null;
            /** Tech Stack */
            tech_stack?: string[] | null;
            /** User Id */
            user_id?: string | null;
        };
        /**
         * DailySessionOut
         * @description A Socratic session; entries of the transcript have ``role`` and ``content``.
         */
        DailySessionOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Project Id
             * Format: uuid
             */
            project_id: string;
            /** Transcript */
            transcript: unknown[];
            /** Concepts Covered */
            concepts_covered: string[];
            /** Duration Minutes */
            duration_minutes: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * DailySessionPage
         * @description Some sessions, and the cursor of the next ones.
         */
        DailySessionPage: {
            /** Items */
            items: components["schemas"]["DailySessionOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * DecidedOut
         * @description A decision about it.
         */
        DecidedOut: {
            /** Stage */
            stage: string;
            /**
             * Verdict
             * @enum {string}
             */
            verdict: "deny" | "needs_approval" | "defer" | "allow";
            /** Reasons */
            reasons: components["schemas"]["ReasonOut"][];
            /** Not Before */
            not_before: string | null;
            /** Quorum */
            quorum: number;
            /** Policy Version */
            policy_version: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * DecisionOut
         * @description A decision, with the reason of every rule.
         */
        DecisionOut: {
            /**
             * Verdict
             * @enum {string}
             */
            verdict: "deny" | "needs_approval" | "defer" | "allow";
            /** Reasons */
            reasons: components["schemas"]["ReasonOut"][];
            /** Not Before */
            not_before: string | null;
            /** Quorum */
            quorum: number;
            /** Policy Version */
            policy_version: number;
            /** Inputs Digest */
            inputs_digest: string;
            /**
             * At
             * Format: date-time
             */
            at: string;
        };
        /**
         * Delegate
         * @description Who votes in one's place, and for how long: at most ninety days.
         */
        Delegate: {
            /**
             * To Id
             * Format: uuid
             * @example 01a1fb26-2e37-7060-84c3-e275028161d3
             */
            to_id: string;
            /**
             * Ends At
             * Format: date-time
             */
            ends_at: string;
            /** Begins At */
            begins_at?: string | null;
            /**
             * From Id
             * @description For services: whose place it is.
             */
            from_id?: string | null;
        };
        /**
         * DelegationOut
         * @description An approver who lets another vote in their place.
         */
        DelegationOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * From Id
             * Format: uuid
             */
            from_id: string;
            /**
             * To Id
             * Format: uuid
             */
            to_id: string;
            /**
             * Begins At
             * Format: date-time
             */
            begins_at: string;
            /**
             * Ends At
             * Format: date-time
             */
            ends_at: string;
        };
        /**
         * DeletedMemories
         * @description How many rows are gone: the memory and its older versions.
         */
        DeletedMemories: {
            /** Deleted */
            deleted: number;
        };
        /**
         * DetailOut
         * @description One agent.
         */
        DetailOut: {
            agent: components["schemas"]["ListingOut"];
            /** Endorsements */
            endorsements: components["schemas"]["EndorsementOut"][];
            memory: components["schemas"]["MemoryStatisticsOut"];
        };
        /**
         * Done
         * @description It is done.
         */
        Done: {
            /**
             * Success
             * @default true
             * @constant
             */
            success?: true;
        };
        /**
         * DoneFor
         * @description It is done, and for this session, which may be another than asked for.
         */
        DoneFor: {
            /**
             * Success
             * @default true
             * @constant
             */
            success?: true;
            /**
             * Sessionid
             * Format: uuid
             */
            sessionId: string;
        };
        /**
         * Drain
         * @description How many dead letters are taken out, the oldest first.
         */
        Drain: {
            /**
             * Limit
             * @default 100
             * @example 20
             */
            limit?: number;
        };
        /**
         * Drained
         * @description What became of them.
         */
        Drained: {
            /** Items */
            items: components["schemas"]["EnvelopeOut"][];
        };
        /**
         * DriftOut
         * @description A change of a tool.
         */
        DriftOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Tool Slug */
            tool_slug: string;
            /** Version */
            version: string;
            /** Provider */
            provider: string;
            /**
             * Severity
             * @enum {string}
             */
            severity: "breaking" | "risky" | "harmless";
            /** Changes */
            changes: {
                [key: string]: unknown;
            }[];
            /** Before Digest */
            before_digest: string | null;
            /** After Digest */
            after_digest: string | null;
            /** Snapshot */
            snapshot: {
                [key: string]: unknown;
            };
            /** Held */
            held: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Acknowledged At */
            acknowledged_at: string | null;
            /** Acknowledged By */
            acknowledged_by: string | null;
        };
        /**
         * DriftPageOut
         * @description Some changes, the latest first.
         */
        DriftPageOut: {
            /** Items */
            items: components["schemas"]["DriftOut"][];
            /** Next */
            next: string | null;
        };
        /**
         * EditArguments
         * @description Other arguments, all of them.
         */
        EditArguments: {
            /**
             * Arguments
             * @example {
             *       "amount": 12.5,
             *       "order_id": "A-17"
             *     }
             */
            arguments: {
                [key: string]: unknown;
            };
        };
        /**
         * EditThenApprove
         * @description Other arguments for what one looked at, and with `approve` a vote for them.
         */
        EditThenApprove: {
            /**
             * Digest
             * @example 0000000000000000000000000000000000000000000000000000000000000000
             */
            digest: string;
            /**
             * Arguments
             * @example {
             *       "amount": 10,
             *       "order_id": "A-17"
             *     }
             */
            arguments: {
                [key: string]: unknown;
            };
            /**
             * Approve
             * @default false
             */
            approve?: boolean;
        };
        /**
         * Endorse
         * @description What somebody says of an agent.
         */
        Endorse: {
            /**
             * Author
             * @example Ann, founder of Pawlog
             */
            author: string;
            /**
             * Quote
             * @example Found our first ten customers.
             */
            quote: string;
            /** Rating */
            rating?: number | null;
        };
        /**
         * EndorsementOut
         * @description What somebody says of an agent.
         */
        EndorsementOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Author */
            author: string;
            /** Quote */
            quote: string;
            /** Rating */
            rating: number | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * EndpointOut
         * @description Where a tenant is told.
         */
        EndpointOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Url */
            url: string;
            /** Events */
            events: string[];
            /** Paused */
            paused: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * EndpointWithSecret
         * @description With the secret that signatures are checked with: it is shown this once.
         */
        EndpointWithSecret: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Url */
            url: string;
            /** Events */
            events: string[];
            /** Paused */
            paused: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Secret */
            secret: string;
        };
        /**
         * EntryOut
         * @description An entry of the waitlist.
         */
        EntryOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Profile Id */
            profile_id: string | null;
            /**
             * Agent Id
             * Format: uuid
             */
            agent_id: string;
            /** Agent */
            agent: string;
            /**
             * Session Id
             * Format: uuid
             */
            session_id: string;
            /** Email Override */
            email_override: string | null;
            /** Email */
            email: string | null;
            /** Message */
            message: string | null;
            /**
             * Status
             * @enum {string}
             */
            status: "new" | "contacted";
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * EntryPage
         * @description Some of them.
         */
        EntryPage: {
            /** Items */
            items: components["schemas"]["EntryOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * EnvelopeDetails
         * @description All there is to know of an action.
         */
        EnvelopeDetails: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Tool Slug */
            tool_slug: string;
            /** Tool Version */
            tool_version: string;
            /** Provider */
            provider: string;
            /** Arguments */
            arguments: {
                [key: string]: unknown;
            };
            /** Connected Account Id */
            connected_account_id: string | null;
            /**
             * Risk
             * @enum {string}
             */
            risk: "low" | "medium" | "high" | "critical";
            /** External Id */
            external_id: string | null;
            /** Trust Context */
            trust_context: {
                [key: string]: unknown;
            };
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /**
             * Status
             * @enum {string}
             */
            status: "proposed" | "denied" | "deferred" | "awaiting_approval" | "pending" | "rejected" | "expired" | "superseded" | "cancelled" | "executing" | "succeeded" | "failed" | "retry_wait" | "outcome_unknown" | "dead";
            /** Attempts */
            attempts: number;
            /** Attempt Limit */
            attempt_limit: number;
            /**
             * Next Run At
             * Format: date-time
             */
            next_run_at: string;
            /** Last Error */
            last_error: string | null;
            /** Error Code */
            error_code: string | null;
            /** Order Key */
            order_key: string | null;
            /** Version */
            version: number;
            /**
             * Digest
             * @description SHA-256 over exactly what will run; what an approval binds.
             */
            digest: string;
            /** Redrives */
            redrives: number;
            /** Proposed By */
            proposed_by: string;
            /** Proposer Id */
            proposer_id: string | null;
            /** By Agent */
            by_agent: boolean;
            /** Run Id */
            run_id: string | null;
            /** Session Id */
            session_id: string | null;
            /** Evidence */
            evidence: string[];
            /** Expires At */
            expires_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Finished At */
            finished_at: string | null;
            /** Attempt List */
            attempt_list: components["schemas"]["AttemptOut"][];
            /** Decisions */
            decisions: components["schemas"]["DecidedOut"][];
            /** Approvals */
            approvals: components["schemas"]["ApprovalOut"][];
        };
        /**
         * EnvelopeOut
         * @description An action as it stands (001's outbox).
         */
        EnvelopeOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Tool Slug */
            tool_slug: string;
            /** Tool Version */
            tool_version: string;
            /** Provider */
            provider: string;
            /** Arguments */
            arguments: {
                [key: string]: unknown;
            };
            /** Connected Account Id */
            connected_account_id: string | null;
            /**
             * Risk
             * @enum {string}
             */
            risk: "low" | "medium" | "high" | "critical";
            /** External Id */
            external_id: string | null;
            /** Trust Context */
            trust_context: {
                [key: string]: unknown;
            };
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /**
             * Status
             * @enum {string}
             */
            status: "proposed" | "denied" | "deferred" | "awaiting_approval" | "pending" | "rejected" | "expired" | "superseded" | "cancelled" | "executing" | "succeeded" | "failed" | "retry_wait" | "outcome_unknown" | "dead";
            /** Attempts */
            attempts: number;
            /** Attempt Limit */
            attempt_limit: number;
            /**
             * Next Run At
             * Format: date-time
             */
            next_run_at: string;
            /** Last Error */
            last_error: string | null;
            /** Error Code */
            error_code: string | null;
            /** Order Key */
            order_key: string | null;
            /** Version */
            version: number;
            /**
             * Digest
             * @description SHA-256 over exactly what will run; what an approval binds.
             */
            digest: string;
            /** Redrives */
            redrives: number;
            /** Proposed By */
            proposed_by: string;
            /** Proposer Id */
            proposer_id: string | null;
            /** By Agent */
            by_agent: boolean;
            /** Run Id */
            run_id: string | null;
            /** Session Id */
            session_id: string | null;
            /** Evidence */
            evidence: string[];
            /** Expires At */
            expires_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Finished At */
            finished_at: string | null;
        };
        /**
         * EnvelopePage
         * @description Some actions, the latest first.
         */
        EnvelopePage: {
            /** Items */
            items: components["schemas"]["EnvelopeOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * EvaluationOut
         * @description Rows, the latest first, and what they cover.
         */
        EvaluationOut: {
            /**
             * Since
             * Format: date-time
             */
            since: string;
            /**
             * Until
             * Format: date-time
             */
            until: string;
            /** Rows */
            rows: components["schemas"]["EvaluationRowOut"][];
        };
        /**
         * EvaluationRowOut
         * @description The answers of one agent with one embedder, by the time of their recall.
         */
        EvaluationRowOut: {
            /**
             * Bucket
             * Format: date-time
             */
            bucket: string;
            /** Agent Name */
            agent_name: string | null;
            /** Embedder */
            embedder: string | null;
            /** Recalls */
            recalls: number;
            /** Found */
            found: number | null;
            /** Injected */
            injected: number | null;
            /** Context Tokens */
            context_tokens: number | null;
            /** Judged */
            judged: number;
            /** Hit Rate */
            hit_rate: number | null;
            /** Used Share */
            used_share: number | null;
            /** Up */
            up: number;
            /** Down */
            down: number;
            /** Recall P50 Ms */
            recall_p50_ms: number | null;
            /** Recall P95 Ms */
            recall_p95_ms: number | null;
        };
        /**
         * EventTypeOut
         * @description An event of the catalogue.
         */
        EventTypeOut: {
            /** Name */
            name: string;
            /** Domain */
            domain: string;
            /** Action */
            action: string;
            /** Trigger */
            trigger: string;
            /**
             * Fired By
             * @enum {string}
             */
            fired_by: "browser" | "server";
            /** Forwarded */
            forwarded: boolean;
            /** Properties */
            properties: components["schemas"]["PropertyOut"][];
        };
        /**
         * EventsTaken
         * @description How many are there now, and how many were before.
         */
        EventsTaken: {
            /** Accepted */
            accepted: number;
            /** Repeated */
            repeated: number;
        };
        /**
         * EvidenceHitOut
         * @description Evidence that was found.
         */
        EvidenceHitOut: {
            evidence: components["schemas"]["EvidenceOut"];
            /** Score */
            score: number;
            /** Dense */
            dense: number | null;
            /** Lexical */
            lexical: number | null;
        };
        /**
         * EvidenceOut
         * @description Evidence as it is stored.
         */
        EvidenceOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Source Type */
            source_type: string;
            /** Source Id */
            source_id: string | null;
            /** Content */
            content: string;
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /** Profile Id */
            profile_id: string | null;
            /** Shared */
            shared: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * ExportToGithub
         * @description 004: where to, and with whose token.
         */
        ExportToGithub: {
            /**
             * Repo Name
             * @example my-project
             */
            repo_name: string;
            /**
             * Github Token
             * Format: password
             */
            github_token: string;
        };
        /**
         * ExportedToGithub
         * @description 004: what GitHub has now.
         */
        ExportedToGithub: {
            /** Repo Url */
            repo_url: string;
            /** Files Pushed */
            files_pushed: number;
            /** Commit Sha */
            commit_sha: string;
        };
        /**
         * FactorOut
         * @description A part of a score.
         */
        FactorOut: {
            /** Name */
            name: string;
            /** Weight */
            weight: number;
            /** Value */
            value: number;
            /** Points */
            points: number;
            /** Reason */
            reason: string;
            /** Memory Ids */
            memory_ids: string[];
        };
        /**
         * Feature
         * @description Something that it does.
         */
        Feature: {
            /** Name */
            name: string;
            /** Description */
            description: string;
            priority: components["schemas"]["PriorityLevel"];
        };
        /**
         * FeedbackOut
         * @description Feedback as it is stored.
         */
        FeedbackOut: {
            /**
             * Session Id
             * Format: uuid
             */
            session_id: string;
            /** Message Id */
            message_id: string;
            /** Run Id */
            run_id: string | null;
            /**
             * Rating
             * @enum {string}
             */
            rating: "up" | "down";
            /** Comment */
            comment: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * FileOut
         * @description A file, as it is or as it was.
         */
        FileOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Project Id
             * Format: uuid
             */
            project_id: string;
            /** Path */
            path: string;
            /** Content */
            content: string | null;
            /** Language */
            language: string | null;
            /** Version */
            version: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * FilePage
         * @description Some files by path; ``next_after`` is the ``after`` of the next ones.
         */
        FilePage: {
            /** Items */
            items: components["schemas"]["FileSummaryOut"][];
            /** Next After */
            next_after: string | null;
        };
        /**
         * FileSummaryOut
         * @description A file without its content; ``size`` in characters.
         */
        FileSummaryOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Path */
            path: string;
            /** Language */
            language: string | null;
            /** Version */
            version: number;
            /** Size */
            size: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * FileVersionOut
         * @description That a file had a version; ``replaced_at`` is null for the present one.
         */
        FileVersionOut: {
            /** Version */
            version: number;
            /** Language */
            language: string | null;
            /** Size */
            size: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Replaced At */
            replaced_at: string | null;
        };
        /**
         * Forget
         * @description What is to be forgotten: exactly one of memory, session, person, or everything of the caller's own.
         */
        Forget: {
            /** Memory Id */
            memory_id?: string | null;
            /**
             * Sources
             * @description Of a memory: also what it was said in. False: only the memory's own row.
             * @default true
             */
            sources?: boolean;
            /** Session Id */
            session_id?: string | null;
            /** Profile Id */
            profile_id?: string | null;
            /**
             * Everything
             * @example true
             */
            everything?: true | null;
        };
        /**
         * ForgottenOut
         * @description What went, by what it was; ``finished`` is false where a worker does the rest.
         */
        ForgottenOut: {
            /** Erased */
            erased: {
                [key: string]: number;
            };
            /** Finished */
            finished: boolean;
        };
        /**
         * FoundHistory
         * @description What a search found.
         */
        FoundHistory: {
            /** Items */
            items: components["schemas"]["FoundOut"][];
        };
        /**
         * FoundMemories
         * @description What was found, best first.
         */
        FoundMemories: {
            /** Items */
            items: components["schemas"]["FoundMemory"][];
        };
        /**
         * FoundMemory
         * @description A memory that was found.
         */
        FoundMemory: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Kind
             * @enum {string}
             */
            kind: "turn" | "fact" | "summary";
            /**
             * Source
             * @enum {string}
             */
            source: "chat" | "context" | "comparison" | "feedback" | "api" | "import";
            /** Speaker */
            speaker: string | null;
            /** Content */
            content: string;
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /** Importance */
            importance: number;
            /** Confidence */
            confidence: number;
            /** Topic */
            topic: string | null;
            /** Message Ids */
            message_ids: string[];
            /**
             * Happened At
             * Format: date-time
             */
            happened_at: string;
            /** Event From */
            event_from: string | null;
            /** Event To */
            event_to: string | null;
            /**
             * Valid From
             * Format: date-time
             */
            valid_from: string;
            /** Valid To */
            valid_to: string | null;
            /** Superseded By */
            superseded_by: string | null;
            /** Recall Count */
            recall_count: number;
            /** Used Count */
            used_count: number;
            /** Archived At */
            archived_at: string | null;
            /** Profile Id */
            profile_id: string | null;
            /** Session Id */
            session_id: string | null;
            /** Agent Id */
            agent_id: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Score */
            score: number;
            scores?: components["schemas"]["ScoresOut"] | null;
        };
        /**
         * FoundOut
         * @description Something that happened, with what it was ordered by where that was asked for.
         */
        FoundOut: {
            /** Kind */
            kind: string;
            /** Id */
            id: string;
            /**
             * At
             * Format: date-time
             */
            at: string;
            /** Title */
            title: string;
            /** Content */
            content: string | null;
            /** Details */
            details: {
                [key: string]: unknown;
            };
            /** Score */
            score?: number | null;
            /** Dense */
            dense?: number | null;
            /** Lexical */
            lexical?: number | null;
        };
        /**
         * FunnelOut
         * @description Who came how far, in a time.
         */
        FunnelOut: {
            /**
             * From
             * Format: date-time
             */
            from: string;
            /**
             * To
             * Format: date-time
             */
            to: string;
            /** Totals */
            totals: components["schemas"]["TotalOut"][];
            /** Phases */
            phases: components["schemas"]["PhaseOut"][];
            /** Steps */
            steps: components["schemas"]["stead__http__event_bodies__StepOut"][];
        };
        /**
         * Generate
         * @description The session whose context is read: answers in the body are refused, so that none is thought to count.
         */
        Generate: {
            /**
             * Sessionid
             * Format: uuid
             * @example 0192d3a4-7c1e-7d55-9f3e-3f1f6f0f2b11
             */
            sessionId: string;
        };
        /**
         * Generated
         * @description What was generated, and the run that did it.
         */
        Generated: {
            /** Content */
            content: string;
            /**
             * Runid
             * Format: uuid
             */
            runId: string;
        };
        /**
         * GiveFeedback
         * @description What is thought of an answer.
         */
        GiveFeedback: {
            /**
             * Rating
             * @enum {string}
             */
            rating: "up" | "down";
            /**
             * Comment
             * @example That was last year.
             */
            comment?: string | null;
        };
        /**
         * HttpCall
         * @description How an http tool is called.
         */
        HttpCall: {
            /**
             * Method
             * @default POST
             * @enum {string}
             */
            method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
            /**
             * Url
             * @example https://api.example.com/orders/{order_id}
             */
            url: string;
            /**
             * Headers
             * @example {
             *       "authorization": "Bearer {secret:shop}"
             *     }
             */
            headers?: {
                [key: string]: string;
            };
        };
        /**
         * InspectedMemories
         * @description Rows of an inspection, and the cursor of the next ones.
         */
        InspectedMemories: {
            /** Items */
            items: components["schemas"]["InspectedMemory"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * InspectedMemory
         * @description A row of an inspection; scores where a question was asked.
         */
        InspectedMemory: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Kind
             * @enum {string}
             */
            kind: "turn" | "fact" | "summary";
            /**
             * Source
             * @enum {string}
             */
            source: "chat" | "context" | "comparison" | "feedback" | "api" | "import";
            /** Speaker */
            speaker: string | null;
            /** Content */
            content: string;
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /** Importance */
            importance: number;
            /** Confidence */
            confidence: number;
            /** Topic */
            topic: string | null;
            /** Message Ids */
            message_ids: string[];
            /**
             * Happened At
             * Format: date-time
             */
            happened_at: string;
            /** Event From */
            event_from: string | null;
            /** Event To */
            event_to: string | null;
            /**
             * Valid From
             * Format: date-time
             */
            valid_from: string;
            /** Valid To */
            valid_to: string | null;
            /** Superseded By */
            superseded_by: string | null;
            /** Recall Count */
            recall_count: number;
            /** Used Count */
            used_count: number;
            /** Archived At */
            archived_at: string | null;
            /** Profile Id */
            profile_id: string | null;
            /** Session Id */
            session_id: string | null;
            /** Agent Id */
            agent_id: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Score */
            score?: number | null;
            scores?: components["schemas"]["ScoresOut"] | null;
        };
        /**
         * JobDetails
         * @description All there is to know of a job.
         */
        JobDetails: {
            /**
             * Job Id
             * Format: uuid
             */
            job_id: string;
            /**
             * Status
             * @enum {string}
             */
            status: "queued" | "running" | "completed" | "failed" | "waiting_for_input" | "cancelled";
            /** Agent Type */
            agent_type: string;
            /** Project Id */
            project_id: string | null;
            /** Progress */
            progress: number;
            /** Result */
            result: unknown;
            /** Error */
            error: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Completed At */
            completed_at: string | null;
            /** Error Code */
            error_code: string | null;
            /** Questions */
            questions: components["schemas"]["QuestionOut"][];
            /** Queue */
            queue: string;
            /** Priority */
            priority: number;
            /** Attempts */
            attempts: number;
            /** Max Attempts */
            max_attempts: number;
            /**
             * Run At
             * @description null: when the jobs that it waits for have ended
             */
            run_at: string | null;
            /** Parent Id */
            parent_id: string | null;
            /** Started At */
            started_at: string | null;
            /** Steps */
            steps: components["schemas"]["stead__http__job_bodies__StepOut"][];
        };
        /**
         * JobList
         * @description Some jobs of a project (004).
         */
        JobList: {
            /** Items */
            items: components["schemas"]["JobOut"][];
            /** Total */
            total: number;
            /** Has More */
            has_more: boolean;
        };
        /**
         * JobOut
         * @description A job as 004 shows it.
         */
        JobOut: {
            /**
             * Job Id
             * Format: uuid
             */
            job_id: string;
            /**
             * Status
             * @enum {string}
             */
            status: "queued" | "running" | "completed" | "failed" | "waiting_for_input" | "cancelled";
            /** Agent Type */
            agent_type: string;
            /** Project Id */
            project_id: string | null;
            /** Progress */
            progress: number;
            /** Result */
            result: unknown;
            /** Error */
            error: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Completed At */
            completed_at: string | null;
        };
        /**
         * JobPage
         * @description Some jobs, the latest first.
         */
        JobPage: {
            /** Items */
            items: components["schemas"]["JobOut"][];
            /** Has More */
            has_more: boolean;
        };
        /**
         * JoinWaitlist
         * @description Who wants to hire whom.
         */
        JoinWaitlist: {
            /**
             * Agent Session Id
             * Format: uuid
             * @description The session that a chat or a comparison gave.
             */
            agent_session_id: string;
            /** Agent */
            agent: string;
            /**
             * Email Override
             * @example ann@example.com
             */
            email_override?: string | null;
            /** Message */
            message?: string | null;
        };
        /**
         * KeptCandidates
         * @description The candidates of a session.
         */
        KeptCandidates: {
            /**
             * Session Id
             * Format: uuid
             */
            session_id: string;
            /** Candidates */
            candidates: components["schemas"]["CandidateOut"][];
        };
        /**
         * KeyOut
         * @description A key, without its secret.
         */
        KeyOut: {
            /** Id */
            id: string;
            /** Name */
            name: string;
            /** Scopes */
            scopes: string[];
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Expires At */
            expires_at: string | null;
            /** Last Used At */
            last_used_at: string | null;
            /** Revoked At */
            revoked_at: string | null;
        };
        /**
         * KillSwitchDocument
         * @description What must not run at all.
         */
        KillSwitchDocument: {
            /**
             * All
             * @default false
             */
            all?: boolean;
            /** Tools */
            tools?: string[];
            /** Providers */
            providers?: string[];
        };
        /**
         * LetterOut
         * @description A dead letter (001's outbox_dlq).
         */
        LetterOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Tool Slug */
            tool_slug: string;
            /** Arguments */
            arguments: {
                [key: string]: unknown;
            };
            /** Connected Account Id */
            connected_account_id: string | null;
            /**
             * Risk
             * @enum {string}
             */
            risk: "low" | "medium" | "high" | "critical";
            /** External Id */
            external_id: string | null;
            /** Trust Context */
            trust_context: {
                [key: string]: unknown;
            };
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /** Status */
            status: string;
            /** Attempts */
            attempts: number;
            /** Last Error */
            last_error: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Moved At
             * Format: date-time
             */
            moved_at: string;
        };
        /**
         * LetterPage
         * @description Some dead letters, the latest action first.
         */
        LetterPage: {
            /** Items */
            items: components["schemas"]["LetterOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * LinkAccount
         * @description An account to connect.
         */
        LinkAccount: {
            /**
             * Toolkit
             * @example github
             */
            toolkit: string;
            /**
             * Callback Url
             * @example http://localhost:3000/linked
             */
            callback_url?: string | null;
            /** Metadata */
            metadata?: {
                [key: string]: unknown;
            };
        };
        /**
         * LinkOut
         * @description A link.
         */
        LinkOut: {
            /** Url */
            url: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
        };
        /**
         * LinkSession
         * @description 003: after authentication.
         */
        LinkSession: {
            /**
             * Clerkuserid
             * @example user_2abcDEF
             */
            clerkUserId: string;
        };
        /**
         * LinkedOut
         * @description The account that is to be, and where the person connects it.
         */
        LinkedOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Profile Id */
            profile_id: string | null;
            /** Provider */
            provider: string;
            /** Toolkit */
            toolkit: string;
            /** External Id */
            external_id: string;
            /**
             * Status
             * @enum {string}
             */
            status: "initializing" | "initiated" | "active" | "inactive" | "failed" | "expired" | "revoked";
            /** Scopes */
            scopes: string[];
            /** Linked At */
            linked_at: string | null;
            /** Expires At */
            expires_at: string | null;
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Redirect Url */
            redirect_url: string;
        };
        /**
         * ListingOut
         * @description An agent for hire.
         */
        ListingOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Slug */
            slug: string;
            /** Name */
            name: string;
            /** Tagline */
            tagline: string | null;
            /** Description */
            description: string | null;
            /** Pricing Model */
            pricing_model: string | null;
            /** Base Rate */
            base_rate: number | null;
            /** Rating */
            rating: number | null;
            /** Experience Years */
            experience_years: number | null;
            /** Success Rate */
            success_rate: number | null;
            /** Industries */
            industries: string[];
            /** Tags */
            tags: components["schemas"]["TagOut"][];
            /** Endorsements */
            endorsements: number;
            /** Shared */
            shared: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Score */
            score: number | null;
        };
        /**
         * ListingPage
         * @description Some of them.
         */
        ListingPage: {
            /** Items */
            items: components["schemas"]["ListingOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * Made
         * @description A job, and whether it was made by this call.
         */
        Made: {
            /**
             * Job Id
             * Format: uuid
             */
            job_id: string;
            /** Status */
            status: string;
            /** New */
            new: boolean;
            /** Estimated Time */
            estimated_time: string;
        };
        /**
         * MakeLink
         * @description How long a link is to open its file.
         * @example {
         *       "expires_in_s": 600
         *     }
         */
        MakeLink: {
            /**
             * Expires In S
             * @default 300
             */
            expires_in_s?: number;
        };
        /**
         * MakeVoteLink
         * @description Whose link it is to be.
         */
        MakeVoteLink: {
            /**
             * Profile Id
             * Format: uuid
             * @example 01a1fb26-2e37-7060-84c3-e275028161d3
             */
            profile_id: string;
        };
        /**
         * MemoryOut
         * @description A memory with all that is known of it.
         */
        MemoryOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Kind
             * @enum {string}
             */
            kind: "turn" | "fact" | "summary";
            /**
             * Source
             * @enum {string}
             */
            source: "chat" | "context" | "comparison" | "feedback" | "api" | "import";
            /** Speaker */
            speaker: string | null;
            /** Content */
            content: string;
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /** Importance */
            importance: number;
            /** Confidence */
            confidence: number;
            /** Topic */
            topic: string | null;
            /** Message Ids */
            message_ids: string[];
            /**
             * Happened At
             * Format: date-time
             */
            happened_at: string;
            /** Event From */
            event_from: string | null;
            /** Event To */
            event_to: string | null;
            /**
             * Valid From
             * Format: date-time
             */
            valid_from: string;
            /** Valid To */
            valid_to: string | null;
            /** Superseded By */
            superseded_by: string | null;
            /** Recall Count */
            recall_count: number;
            /** Used Count */
            used_count: number;
            /** Archived At */
            archived_at: string | null;
            /** Profile Id */
            profile_id: string | null;
            /** Session Id */
            session_id: string | null;
            /** Agent Id */
            agent_id: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * MemoryPageOut
         * @description Some memories, and the cursor of the next ones.
         */
        MemoryPageOut: {
            /** Items */
            items: components["schemas"]["MemoryOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * MemoryStatisticsOut
         * @description What is remembered with an agent, of what the caller may see.
         */
        MemoryStatisticsOut: {
            /** Memories */
            memories: number;
            /** People */
            people: number;
            /** By Source */
            by_source: {
                [key: string]: number;
            };
            /** Recalled */
            recalled: number;
            /** Used */
            used: number;
            /** Last At */
            last_at: string | null;
        };
        /**
         * MentorSaid
         * @description What the mentor answers, and the session as it is then.
         */
        MentorSaid: {
            /** Answer */
            answer: string;
            session: components["schemas"]["DailySessionOut"];
        };
        /**
         * MessageOut
         * @description A message in the AI SDK's UIMessage form.
         */
        MessageOut: {
            /** Id */
            id: string;
            /** Role */
            role: string;
            /** Parts */
            parts: {
                [key: string]: unknown;
            }[];
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /** Seq */
            seq: number;
            /**
             * Createdat
             * Format: date-time
             */
            createdAt: string;
        };
        /**
         * MessagePage
         * @description Some messages in order; ``next_after`` is the ``after`` of the next ones.
         */
        MessagePage: {
            /** Items */
            items: components["schemas"]["MessageOut"][];
            /** Next After */
            next_after: number | null;
        };
        /**
         * NeedScope
         * @description The scope that is wanted.
         */
        NeedScope: {
            /**
             * Scope
             * @example finance:write
             */
            scope: string;
        };
        /**
         * NeededScopeOut
         * @description A rule.
         */
        NeededScopeOut: {
            /** Source Type */
            source_type: string;
            /** Scope */
            scope: string;
        };
        /**
         * NewKeyOut
         * @description A new key, with its text: it is shown this once.
         */
        NewKeyOut: {
            /** Id */
            id: string;
            /** Name */
            name: string;
            /** Scopes */
            scopes: string[];
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Expires At */
            expires_at: string | null;
            /** Last Used At */
            last_used_at: string | null;
            /** Revoked At */
            revoked_at: string | null;
            /** Key */
            key: string;
        };
        /**
         * NewTag
         * @description A word of the taxonomy, made where it is new.
         */
        NewTag: {
            /** Slug */
            slug: string;
            /**
             * Label
             * @description null: the slug
             */
            label?: string | null;
        };
        /**
         * ObjectiveOut
         * @description An objective.
         */
        ObjectiveOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Title */
            title: string;
            /** Metric */
            metric: string | null;
            /** Target */
            target: string | null;
            /** Horizon */
            horizon: string | null;
            /** Summary */
            summary: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * OpenSession
         * @description 003: start of the experience.
         */
        OpenSession: {
            /**
             * Orgid
             * @example demo
             */
            orgId: string;
            /** Email */
            email?: string | null;
            /** Context */
            context?: {
                [key: string]: unknown;
            } | null;
        };
        /**
         * OpenedSession
         * @description The session; for an anonymous caller also the token that holds it.
         */
        OpenedSession: {
            /**
             * Sessionid
             * Format: uuid
             */
            sessionId: string;
            /** Sessiontoken */
            sessionToken?: string | null;
        };
        /**
         * OutboxStatus
         * @description How many actions are in which state that is not over, and how many dead letters there are.
         */
        OutboxStatus: {
            /** Depths */
            depths: {
                [key: string]: number;
            };
            /** Dlq */
            dlq: number;
        };
        /**
         * PageRoute
         * @description A page under its address.
         */
        PageRoute: {
            /** Path */
            path: string;
            /** Description */
            description: string;
            /** Components */
            components: components["schemas"]["Component"][];
        };
        /**
         * PhaseCompletedEvent
         * @description Somebody finishes a phase.
         */
        PhaseCompletedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "phase.completed";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["PhaseCompletedProperties"];
        };
        /**
         * PhaseCompletedProperties
         * @description Its properties.
         */
        PhaseCompletedProperties: {
            /**
             * Sessionid
             * Format: uuid
             * @description The session.
             */
            sessionId: string;
            /**
             * Phase
             * @description The phase, by name or number.
             * @example discovery
             */
            phase: string | number;
            /**
             * Duration
             * @description How long the phase took.
             */
            duration: number;
        };
        /**
         * PhaseOut
         * @description A phase, and who came to it: sessions.
         */
        PhaseOut: {
            /** Phase */
            phase: string;
            /** Position */
            position: number;
            /** Sessions */
            sessions: number;
            /** Completed */
            completed: number;
            /** Went On */
            went_on: number;
            /** Share */
            share: number;
            /** Dropped */
            dropped: number;
            /** Converted */
            converted: number;
            /** Median S */
            median_s: number | null;
        };
        /**
         * PhaseStartedEvent
         * @description Somebody enters a phase.
         */
        PhaseStartedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "phase.started";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["PhaseStartedProperties"];
        };
        /**
         * PhaseStartedProperties
         * @description Its properties.
         */
        PhaseStartedProperties: {
            /**
             * Sessionid
             * Format: uuid
             * @description The session.
             */
            sessionId: string;
            /**
             * Phase
             * @description The phase, by name or number.
             * @example discovery
             */
            phase: string | number;
        };
        /**
         * PolicyDocument
         * @description A tenant's policy. What is left out is as it is by default.
         */
        PolicyDocument: {
            /**
             * Time Zone
             * @default UTC
             * @example Europe/Lisbon
             */
            time_zone?: string;
            quiet_hours?: components["schemas"]["QuietHoursDocument"] | null;
            /**
             * Trust Threshold
             * @default 0.5
             */
            trust_threshold?: number;
            /**
             * Trust From
             * @default medium
             * @enum {string}
             */
            trust_from?: "low" | "medium" | "high" | "critical";
            /**
             * Confidence Floor
             * @default 0.3
             */
            confidence_floor?: number;
            /** Scopes */
            scopes?: string[];
            /**
             * Require Evidence
             * @default false
             */
            require_evidence?: boolean | ("low" | "medium" | "high" | "critical");
            /**
             * @default {
             *       "low": {
             *         "approval_ttl_s": 86400,
             *         "backoff_s": 1,
             *         "max_attempts": 8,
             *         "quorum": 1,
             *         "verdict": "allow"
             *       },
             *       "medium": {
             *         "approval_ttl_s": 86400,
             *         "backoff_s": 2,
             *         "max_attempts": 5,
             *         "quorum": 1,
             *         "verdict": "allow"
             *       },
             *       "high": {
             *         "approval_ttl_s": 86400,
             *         "backoff_s": 5,
             *         "max_attempts": 3,
             *         "quorum": 1,
             *         "verdict": "approval"
             *       },
             *       "critical": {
             *         "approval_ttl_s": 14400,
             *         "backoff_s": 10,
             *         "max_attempts": 2,
             *         "quorum": 2,
             *         "verdict": "approval"
             *       }
             *     }
             */
            tiers?: components["schemas"]["TiersDocument"];
            /** @default {} */
            ceilings?: components["schemas"]["CeilingsDocument"];
            /** Tools */
            tools?: components["schemas"]["ToolDocument"][];
            /**
             * @default {
             *       "all": false,
             *       "tools": [],
             *       "providers": []
             *     }
             */
            kill_switch?: components["schemas"]["KillSwitchDocument"];
        };
        /**
         * PolicyOut
         * @description A version of the policy; 0 is the default, of a tenant that has none of its own.
         */
        PolicyOut: {
            /** Version */
            version: number;
            /** Policy */
            policy: {
                [key: string]: unknown;
            };
            /** Changed By */
            changed_by: string | null;
            /** Reason */
            reason: string | null;
            /** Created At */
            created_at: string | null;
        };
        /**
         * PriorityLevel
         * @description How much a feature is needed.
         * @enum {string}
         */
        PriorityLevel: "must-have" | "should-have" | "nice-to-have";
        /**
         * ProjectOut
         * @description A project.
         */
        ProjectOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * User Id
             * Format: uuid
             */
            user_id: string;
            /** Title */
            title: string;
            /** Description */
            description: string | null;
            /**
             * Mode
             * @enum {string}
             */
            mode: "builder" | "student";
            /**
             * Status
             * @enum {string}
             */
            status: "planning" | "in-progress" | "building" | "completed" | "archived";
            /** Requirements Spec */
            requirements_spec: {
                [key: string]: unknown;
            } | null;
            /** Architecture Spec */
            architecture_spec: {
                [key: string]: unknown;
            } | null;
            /** Tech Stack */
            tech_stack: string[] | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * ProjectPage
         * @description Some projects, and the cursor of the next ones.
         */
        ProjectPage: {
            /** Items */
            items: components["schemas"]["ProjectOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * PropertyOut
         * @description A property of an event.
         */
        PropertyOut: {
            /** Name */
            name: string;
            /**
             * Type
             * @enum {string}
             */
            type: "uuid" | "text" | "label" | "url" | "count" | "milliseconds" | "amount";
            /** Required */
            required: boolean;
            /** Meaning */
            meaning: string;
        };
        /**
         * Propose
         * @description An action that is to be carried out.
         */
        Propose: {
            /**
             * Tool
             * @example refund
             */
            tool: string;
            /**
             * Arguments
             * @example {
             *       "amount": 12.5,
             *       "order_id": "A-17"
             *     }
             */
            arguments?: {
                [key: string]: unknown;
            };
            /** Version */
            version?: string | null;
            /** Connected Account Id */
            connected_account_id?: string | null;
            /** Risk */
            risk?: ("low" | "medium" | "high" | "critical") | null;
            /** Evidence */
            evidence?: string[];
            /** Confidence */
            confidence?: number | null;
            /** Trust Context */
            trust_context?: {
                [key: string]: unknown;
            };
            /** External Id */
            external_id?: string | null;
            /** Order Key */
            order_key?: string | null;
            /** Not Before */
            not_before?: string | null;
            /** Expires At */
            expires_at?: string | null;
            /** Metadata */
            metadata?: {
                [key: string]: unknown;
            };
            /** Supersedes */
            supersedes?: string | null;
            agent?: components["schemas"]["AgentIn"] | null;
        };
        /**
         * ProposedOut
         * @description What a proposal came to.
         */
        ProposedOut: {
            envelope: components["schemas"]["EnvelopeOut"];
            /** Is New */
            is_new: boolean;
            /** Verdict */
            verdict: ("deny" | "needs_approval" | "defer" | "allow") | null;
            /** Reasons */
            reasons: components["schemas"]["ReasonOut"][];
            /** Approval Id */
            approval_id: string | null;
        };
        /**
         * PutFile
         * @description A file's content, all of it.
         */
        PutFile: {
            /** Content */
            content: string;
            /**
             * Language
             * @example typescript
             */
            language?: string | null;
            /**
             * If Version
             * @description The version that is to be replaced; 0: there is none.
             */
            if_version?: number | null;
        };
        /**
         * PutPolicy
         * @description A policy as it is to be.
         */
        PutPolicy: {
            policy: components["schemas"]["PolicyDocument"];
            /**
             * Reason
             * @example Nobody is there at night.
             */
            reason?: string | null;
        };
        /**
         * QuestionOut
         * @description What a job asks.
         */
        QuestionOut: {
            /** Id */
            id: string;
            /** Question */
            question: string;
            /** Options */
            options?: string[] | null;
        };
        /**
         * QueueOut
         * @description A queue of the tenant.
         */
        QueueOut: {
            /** Queue */
            queue: string;
            /** Paused */
            paused: boolean;
            /** Weight */
            weight: number;
            /** Max Running */
            max_running: number | null;
            /** Queued */
            queued: number;
            /** Running */
            running: number;
            /** Waiting */
            waiting: number;
        };
        /**
         * QuietException
         * @description Days on which quiet hours are other ones.
         */
        QuietException: {
            /**
             * From
             * Format: date
             * @example 2026-12-24
             */
            from: string;
            /**
             * To
             * Format: date
             * @example 2026-12-26
             */
            to: string;
            /**
             * Quiet
             * @enum {string}
             */
            quiet: "always" | "never";
        };
        /**
         * QuietHoursDocument
         * @description Quiet hours: between two times of day of the tenant's time zone, on some days of the week.
         */
        QuietHoursDocument: {
            /** Start */
            start?: string | null;
            /** End */
            end?: string | null;
            /** Days */
            days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            /** Exceptions */
            exceptions?: components["schemas"]["QuietException"][];
            /** Applies To */
            applies_to?: ("low" | "medium" | "high" | "critical")[];
        };
        /**
         * RanAgent
         * @description An answer that was waited for.
         */
        RanAgent: {
            /**
             * Run Id
             * Format: uuid
             */
            run_id: string;
            /**
             * Session Id
             * Format: uuid
             */
            session_id: string;
            /** Agent */
            agent: string;
            /**
             * Status
             * @enum {string}
             */
            status: "running" | "completed" | "failed" | "cancelled";
            /** Output */
            output: string;
            error: components["schemas"]["RunError"] | null;
            /** Latency Ms */
            latency_ms: number | null;
            /** Input Tokens */
            input_tokens: number;
            /** Output Tokens */
            output_tokens: number;
        };
        /**
         * ReasonOut
         * @description What one rule says.
         */
        ReasonOut: {
            /** Rule */
            rule: string;
            /**
             * Verdict
             * @enum {string}
             */
            verdict: "deny" | "needs_approval" | "defer" | "allow";
            /** Says */
            says: string;
            /** Until */
            until?: string | null;
        };
        /**
         * Received
         * @description Whether anything came of a webhook.
         */
        Received: {
            /** Done */
            done: boolean;
        };
        /**
         * RecordEvidence
         * @description Evidence to be recorded.
         */
        RecordEvidence: {
            /**
             * Source Type
             * @example tool_output
             */
            source_type: string;
            /**
             * Content
             * @example Invoice 4711 was paid twice.
             */
            content: string;
            /** Source Id */
            source_id?: string | null;
            /** Metadata */
            metadata?: {
                [key: string]: unknown;
            };
            /**
             * Profile Id
             * @description On whose behalf; it goes when they are forgotten.
             */
            profile_id?: string | null;
            /**
             * Shared
             * @description Whether agents are given it whoever talks to them.
             * @default false
             */
            shared?: boolean;
        };
        /**
         * RecordedOut
         * @description What was recorded; without its text, which an idempotency key would keep when it is deleted.
         */
        RecordedOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * RefreshCatalog
         * @description Whom to ask for its tools.
         */
        RefreshCatalog: {
            /**
             * Provider
             * @example composio
             */
            provider: string;
            /**
             * Toolkit
             * @default
             * @example
             */
            toolkit?: string;
        };
        /**
         * RefreshOut
         * @description The job that asks.
         *
         *     Args:
         *         new: False where one is under way already: it is that one.
         */
        RefreshOut: {
            /**
             * Job Id
             * Format: uuid
             */
            job_id: string;
            /** New */
            new: boolean;
        };
        /**
         * Reject
         * @description A vote against it.
         */
        Reject: {
            /**
             * Digest
             * @example 0000000000000000000000000000000000000000000000000000000000000000
             */
            digest: string;
            /**
             * Reason
             * @example The amount is wrong.
             */
            reason: string;
            /**
             * Counts For
             * @description Who delegated to the caller.
             */
            counts_for?: string | null;
        };
        /**
         * ReplayOut
         * @description What would have changed.
         */
        ReplayOut: {
            /**
             * Since
             * Format: date-time
             */
            since: string;
            /** Replayed */
            replayed: number;
            /** Unreadable */
            unreadable: number;
            /** Stricter */
            stricter: number;
            /** Looser */
            looser: number;
            /** Changes */
            changes: {
                [key: string]: number;
            };
            /** Examples */
            examples: {
                [key: string]: unknown;
            }[];
            /** Complete */
            complete: boolean;
        };
        /**
         * ReplayPolicy
         * @description A policy that past decisions are to be made again with.
         * @example {
         *       "limit": 1000,
         *       "policy": {
         *         "trust_threshold": 0.7
         *       }
         *     }
         */
        ReplayPolicy: {
            policy: components["schemas"]["PolicyDocument"];
            /** Since */
            since?: string | null;
            /**
             * Limit
             * @default 1000
             */
            limit?: number;
        };
        /**
         * RequirementsDoc
         * @description What the research agent finds; kept in ``projects.requirements_spec``.
         */
        RequirementsDoc: {
            /** App Name */
            app_name: string;
            /** Elevator Pitch */
            elevator_pitch: string;
            /** Target Audience */
            target_audience: components["schemas"]["UserPersona"][];
            /** Core Features */
            core_features: components["schemas"]["Feature"][];
            /** Recommended Stack */
            recommended_stack: string[];
            /** Technical Constraints */
            technical_constraints?: string | null;
        };
        /**
         * Resolve
         * @description What somebody found out about an action whose outcome was not known.
         */
        Resolve: {
            /**
             * Outcome
             * @example succeeded
             * @enum {string}
             */
            outcome: "succeeded" | "not_done" | "give_up";
            /**
             * Result
             * @description What the provider shows of it.
             */
            result?: unknown;
        };
        /**
         * Respond
         * @description Answers to all questions of a job.
         */
        Respond: {
            /**
             * Responses
             * @example [
             *       {
             *         "answer": "The city.",
             *         "question_id": "q1"
             *       }
             *     ]
             */
            responses: components["schemas"]["AnswerIn"][];
        };
        /**
         * Resumed
         * @description The job goes on.
         */
        Resumed: {
            /**
             * Status
             * @default running
             * @constant
             */
            status?: "running";
            /**
             * Message
             * @default Agent resumed with clarifications
             */
            message?: string;
        };
        /**
         * RoadmapModule
         * @description A part of a curriculum.
         */
        RoadmapModule: {
            /** Title */
            title: string;
            /** Description */
            description: string;
            /** Steps */
            steps: string[];
            /** Estimated Hours */
            estimated_hours: number;
            /** Prerequisites */
            prerequisites?: string[];
        };
        /**
         * RoadmapOut
         * @description A roadmap; modules have ``title``, ``steps`` and ``is_locked``.
         */
        RoadmapOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Project Id
             * Format: uuid
             */
            project_id: string;
            /** Modules */
            modules: unknown[];
            /** Current Step Index */
            current_step_index: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * RoadmapPage
         * @description Some roadmaps, and the cursor of the next ones.
         */
        RoadmapPage: {
            /** Items */
            items: components["schemas"]["RoadmapOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * RunError
         * @description Why a run failed.
         */
        RunError: {
            /** Code */
            code: string;
            /** Message */
            message: string;
        };
        /**
         * RunOut
         * @description One answer of an agent, as the run log has it.
         */
        RunOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Session Id */
            session_id: string | null;
            /** Agent Name */
            agent_name: string;
            /** Kind */
            kind: string;
            /**
             * Message Id
             * Format: uuid
             */
            message_id: string;
            /** Status */
            status: string;
            /** Model */
            model: string | null;
            /** Error */
            error: {
                [key: string]: unknown;
            } | null;
            /** Finish Reason */
            finish_reason: string | null;
            /** Latency Ms */
            latency_ms: number | null;
            /** First Token Ms */
            first_token_ms: number | null;
            /** Input Tokens */
            input_tokens: number;
            /** Output Tokens */
            output_tokens: number;
            /** Cached Tokens */
            cached_tokens: number;
            /** Cost Usd */
            cost_usd: number | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Completed At */
            completed_at: string | null;
        };
        /**
         * RunPipeline
         * @description What the whole pipeline is to work on.
         */
        RunPipeline: {
            /**
             * Project Id
             * Format: uuid
             */
            project_id: string;
            /**
             * Input Context
             * @example {
             *       "user_idea": "A CRM for dog walkers"
             *     }
             */
            input_context?: {
                [key: string]: unknown;
            };
        };
        /**
         * SaveAgent
         * @description An agent's place in the catalogue.
         */
        SaveAgent: {
            /**
             * Slug
             * @example concierge
             */
            slug: string;
            /** Name */
            name: string;
            /** Tagline */
            tagline?: string | null;
            /** Description */
            description?: string | null;
            /**
             * Visibility
             * @default public
             * @enum {string}
             */
            visibility?: "public" | "hidden" | "internal";
            /**
             * Generates
             * @description The type of /api/generate that it answers.
             * @example diagnosis
             */
            generates?: string | null;
        };
        /**
         * SaveApprover
         * @description Up to which tier somebody may approve.
         */
        SaveApprover: {
            /**
             * Most Risk
             * @default critical
             * @example high
             * @enum {string}
             */
            most_risk?: "low" | "medium" | "high" | "critical";
        };
        /**
         * SaveListing
         * @description What an agent costs, can and is about. What is left out is taken away.
         */
        SaveListing: {
            /**
             * Pricing Model
             * @example subscription
             */
            pricing_model?: string | null;
            /**
             * Base Rate
             * @example 49
             */
            base_rate?: number | null;
            /**
             * Rating
             * @example 4.6
             */
            rating?: number | null;
            /** Experience Years */
            experience_years?: number | null;
            /** Success Rate */
            success_rate?: number | null;
            /** Industries */
            industries?: string[];
            /** Tags */
            tags?: components["schemas"]["NewTag"][];
        };
        /**
         * SaveObjective
         * @description An objective as it is to be.
         */
        SaveObjective: {
            /**
             * Title
             * @example Fewer refunds
             */
            title: string;
            /**
             * Metric
             * @example refund rate
             */
            metric?: string | null;
            /**
             * Target
             * @example under 2%
             */
            target?: string | null;
            /**
             * Horizon
             * @example end of March
             */
            horizon?: string | null;
            /** Summary */
            summary?: string | null;
        };
        /**
         * SaveQueue
         * @description What is to change of a queue; what is left out stays.
         */
        SaveQueue: {
            /**
             * Paused
             * @example true
             */
            paused?: boolean | null;
            /** Weight */
            weight?: number | null;
            /** Max Running */
            max_running?: number | null;
        };
        /**
         * SaveRoadmap
         * @description A curriculum: 004's LearningRoadmap.
         * @example {
         *       "description": "Step by step.",
         *       "modules": [
         *         {
         *           "description": "What is kept.",
         *           "estimated_hours": 2,
         *           "steps": [
         *             "Name the tables"
         *           ],
         *           "title": "Tables"
         *         }
         *       ],
         *       "skill_level": "beginner",
         *       "title": "Build Pawlog",
         *       "total_estimated_hours": 2
         *     }
         */
        SaveRoadmap: {
            /** Title */
            title: string;
            /** Description */
            description: string;
            /**
             * Skill Level
             * @enum {string}
             */
            skill_level: "beginner" | "intermediate" | "advanced";
            /** Modules */
            modules: components["schemas"]["RoadmapModule"][];
            /** Total Estimated Hours */
            total_estimated_hours: number;
        };
        /**
         * SaveSchedule
         * @description A schedule as it is to be.
         */
        SaveSchedule: {
            /**
             * Name
             * @example morning-digest
             */
            name: string;
            /**
             * Cron
             * @example 0 7 * * mon-fri
             */
            cron: string;
            /**
             * Time Zone
             * @default UTC
             * @example Europe/Lisbon
             */
            time_zone?: string;
            /**
             * Kind
             * @example research
             */
            kind: string;
            /** Input */
            input?: {
                [key: string]: unknown;
            };
            /**
             * Tick Argument
             * @example at
             */
            tick_argument?: string | null;
            /**
             * Queue
             * @example default
             */
            queue?: string | null;
            /**
             * Missed
             * @default once
             * @enum {string}
             */
            missed?: "skip" | "once" | "all";
        };
        /**
         * SaveTool
         * @description An http tool as it is to be.
         */
        SaveTool: {
            /**
             * Display Name
             * @example Refund an order
             */
            display_name: string;
            /**
             * Description
             * @default
             * @example Refunds an order, whole or in part.
             */
            description?: string;
            /**
             * Version
             * @default 1
             * @example 1
             */
            version?: string;
            /**
             * Schema
             * @example {
             *       "properties": {
             *         "order_id": {
             *           "type": "string"
             *         }
             *       },
             *       "type": "object"
             *     }
             */
            schema: {
                [key: string]: unknown;
            };
            /**
             * Risk
             * @default medium
             * @enum {string}
             */
            risk?: "low" | "medium" | "high" | "critical";
            /** Required Scopes */
            required_scopes?: string[];
            /**
             * Idempotent
             * @default false
             */
            idempotent?: boolean;
            /**
             * Needs Account
             * @default false
             */
            needs_account?: boolean;
            /**
             * Amount Argument
             * @example null
             */
            amount_argument?: string | null;
            /**
             * Timeout S
             * @default 30
             */
            timeout_s?: number;
            http: components["schemas"]["HttpCall"];
        };
        /**
         * SaveVersion
         * @description What runs.
         */
        SaveVersion: {
            /** Instructions */
            instructions: string;
            /**
             * Model
             * @example openai/gpt-5-mini
             */
            model?: string | null;
            /** Temperature */
            temperature?: number | null;
            /** Max Tokens */
            max_tokens?: number | null;
            /** Tools */
            tools?: string[];
            /** Output Schema */
            output_schema?: {
                [key: string]: unknown;
            } | null;
        };
        /**
         * Saved
         * @description The agent's id.
         */
        Saved: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Slug */
            slug: string;
        };
        /**
         * SayToMentor
         * @description What a learner says.
         */
        SayToMentor: {
            /**
             * Message
             * @example Why is my list empty?
             */
            message: string;
            /**
             * After
             * @description How many entries of the transcript were seen.
             */
            after?: number | null;
        };
        /**
         * ScheduleOut
         * @description A schedule as it stands.
         */
        ScheduleOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Name */
            name: string;
            /** Cron */
            cron: string;
            /** Time Zone */
            time_zone: string;
            /** Kind */
            kind: string;
            /** Input */
            input: {
                [key: string]: unknown;
            };
            /** Tick Argument */
            tick_argument: string | null;
            /** Queue */
            queue: string;
            /**
             * Missed
             * @enum {string}
             */
            missed: "skip" | "once" | "all";
            /**
             * Source
             * @enum {string}
             */
            source: "code" | "api" | "system";
            /** Paused */
            paused: boolean;
            /** Next At */
            next_at: string | null;
            /** Last At */
            last_at: string | null;
        };
        /**
         * ScoresOut
         * @description What each arm of the search made of a memory; null: it had nothing to say.
         */
        ScoresOut: {
            /** Dense */
            dense: number | null;
            /** Dense Near */
            dense_near: number | null;
            /** Lexical */
            lexical: number | null;
            /** Lexical Near */
            lexical_near: number | null;
            /** Lexical Wide */
            lexical_wide: number | null;
            /** Named */
            named: boolean;
            /** Timely */
            timely: boolean;
            /** Recency */
            recency: number;
            /** Usefulness */
            usefulness: number;
            /** Reranked */
            reranked: number | null;
            /** Approximate */
            approximate: boolean;
        };
        /**
         * SearchEvidence
         * @description What is looked for.
         */
        SearchEvidence: {
            /**
             * Query
             * @example invoices that were paid twice
             */
            query: string;
            /** Source Type */
            source_type?: string | null;
            /**
             * Limit
             * @default 10
             */
            limit?: number;
        };
        /**
         * SearchMemories
         * @description A question.
         */
        SearchMemories: {
            /**
             * Query
             * @example Where do I live?
             */
            query: string;
            /** Profile Id */
            profile_id?: string | null;
            /** Session Id */
            session_id?: string | null;
            /** Agent */
            agent?: string | null;
            /** Kinds */
            kinds?: ("turn" | "fact" | "summary")[] | null;
            /**
             * Limit
             * @default 12
             */
            limit?: number;
            /** Max Tokens */
            max_tokens?: number | null;
            /** As Of */
            as_of?: string | null;
            /** Asked At */
            asked_at?: string | null;
            /**
             * Explain
             * @default false
             */
            explain?: boolean;
            /**
             * Rerank
             * @default false
             */
            rerank?: boolean;
        };
        /**
         * SendEvents
         * @description A batch of events.
         */
        SendEvents: {
            /**
             * Events
             * @example [
             *       {
             *         "event": "step.viewed",
             *         "id": "6f0c1d9e-52d3-4a0e-9f57-3d1f4f0c7a11",
             *         "properties": {
             *           "sessionId": "01a1fb26-2cb3-7a40-8b10-76aedd44d4eb",
             *           "phase": "discovery",
             *           "step": "day-rate",
             *           "stepType": "question"
             *         }
             *       }
             *     ]
             */
            events: (components["schemas"]["SessionCreatedEvent"] | components["schemas"]["SessionAuthenticatedEvent"] | components["schemas"]["PhaseStartedEvent"] | components["schemas"]["PhaseCompletedEvent"] | components["schemas"]["StepViewedEvent"] | components["schemas"]["StepCompletedEvent"] | components["schemas"]["ChatMessageSentEvent"] | components["schemas"]["ChatMessageReceivedEvent"] | components["schemas"]["ContentServedEvent"] | components["schemas"]["ConversionCheckoutStartedEvent"] | components["schemas"]["ConversionCheckoutCompletedEvent"] | components["schemas"]["ConversionCallBookedEvent"])[];
            /**
             * Sentat
             * @description What the sender's clock says now: how much it is off is taken off every timestamp.
             */
            sentAt?: string | null;
        };
        /**
         * SessionAuthenticatedEvent
         * @description A session was linked to a person who signed in.
         */
        SessionAuthenticatedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "session.authenticated";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["SessionAuthenticatedProperties"];
        };
        /**
         * SessionAuthenticatedProperties
         * @description Its properties.
         */
        SessionAuthenticatedProperties: {
            /**
             * Sessionid
             * Format: uuid
             * @description The session.
             */
            sessionId: string;
        };
        /**
         * SessionCreatedEvent
         * @description A session was opened.
         */
        SessionCreatedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "session.created";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["SessionCreatedProperties"];
        };
        /**
         * SessionCreatedProperties
         * @description Its properties.
         */
        SessionCreatedProperties: {
            /**
             * Orgid
             * @description The organisation: the tenant's slug.
             * @example demo
             */
            orgId: string;
            /**
             * Sessionid
             * Format: uuid
             * @description The session.
             */
            sessionId: string;
        };
        /**
         * SessionOut
         * @description A session as its owner sees it.
         */
        SessionOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Status
             * @enum {string}
             */
            status: "in_progress" | "completed" | "abandoned" | "failed" | "timeout";
            /** Email */
            email: string | null;
            /** Phone */
            phone: string | null;
            /** Name */
            name: string | null;
            /** Context */
            context: {
                [key: string]: unknown;
            };
            /** Linked */
            linked: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Ended At */
            ended_at: string | null;
        };
        /**
         * SessionPage
         * @description Some sessions, and the cursor of the next ones.
         */
        SessionPage: {
            /** Items */
            items: components["schemas"]["SessionOut"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * SetEntryStatus
         * @description Whether somebody was written to.
         */
        SetEntryStatus: {
            /**
             * Status
             * @example contacted
             * @enum {string}
             */
            status: "new" | "contacted";
        };
        /**
         * SharedScheduleOut
         * @description A schedule that serves every tenant.
         */
        SharedScheduleOut: {
            /** Name */
            name: string;
            /** Cron */
            cron: string;
            /** Time Zone */
            time_zone: string;
            /** Kind */
            kind: string;
            /**
             * Source
             * @enum {string}
             */
            source: "code" | "api" | "system";
            /** Paused */
            paused: boolean;
            /** Paused Here */
            paused_here: boolean;
            /** Next At */
            next_at: string | null;
            /** Last At */
            last_at: string | null;
        };
        /**
         * StatusOut
         * @description How the job stands now.
         */
        StatusOut: {
            /**
             * Status
             * @enum {string}
             */
            status: "queued" | "running" | "completed" | "failed" | "waiting_for_input" | "cancelled";
        };
        /**
         * StepCompletedEvent
         * @description Somebody completes a step.
         */
        StepCompletedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "step.completed";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["StepCompletedProperties"];
        };
        /**
         * StepCompletedProperties
         * @description Its properties.
         */
        StepCompletedProperties: {
            /**
             * Sessionid
             * Format: uuid
             * @description The session.
             */
            sessionId: string;
            /**
             * Phase
             * @description The phase, by name or number.
             * @example discovery
             */
            phase: string | number;
            /**
             * Step
             * @description The step, by name or number.
             * @example day-rate
             */
            step: string | number;
            /**
             * Steptype
             * @description What kind of step it is.
             * @example question
             */
            stepType: string;
        };
        /**
         * StepViewedEvent
         * @description Somebody sees a step.
         */
        StepViewedEvent: {
            /**
             * Id
             * Format: uuid
             * @description Given by you: sent twice it is there once.
             */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            event: "step.viewed";
            /**
             * Timestamp
             * @description When it happened; now without it.
             */
            timestamp?: string | null;
            properties: components["schemas"]["StepViewedProperties"];
        };
        /**
         * StepViewedProperties
         * @description Its properties.
         */
        StepViewedProperties: {
            /**
             * Sessionid
             * Format: uuid
             * @description The session.
             */
            sessionId: string;
            /**
             * Phase
             * @description The phase, by name or number.
             * @example discovery
             */
            phase: string | number;
            /**
             * Step
             * @description The step, by name or number.
             * @example day-rate
             */
            step: string | number;
            /**
             * Steptype
             * @description What kind of step it is.
             * @example question
             */
            stepType: string;
        };
        /**
         * Stopped
         * @description Whether there was an answer to stop, and which.
         */
        Stopped: {
            /** Stopped */
            stopped: boolean;
            /** Run Id */
            run_id: string | null;
        };
        /**
         * StoreMemories
         * @description 000: what an agent decided to persist. A service names a profile or a session.
         */
        StoreMemories: {
            /** Profile Id */
            profile_id?: string | null;
            /** Session Id */
            session_id?: string | null;
            /** Agent */
            agent?: string | null;
            /**
             * Memories
             * @example [
             *       {
             *         "content": "Prefers answers in French."
             *       }
             *     ]
             */
            memories: components["schemas"]["StoreMemory"][];
        };
        /**
         * StoreMemory
         * @description A memory to be stored.
         */
        StoreMemory: {
            /**
             * Content
             * @example I live in Porto.
             */
            content: string;
            /**
             * Kind
             * @default fact
             * @enum {string}
             */
            kind?: "fact" | "summary";
            /**
             * Source
             * @default api
             * @enum {string}
             */
            source?: "chat" | "context" | "comparison" | "feedback" | "api" | "import";
            /**
             * Importance
             * @default 0.5
             */
            importance?: number;
            /**
             * Confidence
             * @default 1
             */
            confidence?: number;
            /**
             * Topic
             * @example residence
             */
            topic?: string | null;
            /** Happened At */
            happened_at?: string | null;
            /** Event From */
            event_from?: string | null;
            /** Event To */
            event_to?: string | null;
            /** Metadata */
            metadata?: {
                [key: string]: unknown;
            };
            /** Embedding */
            embedding?: number[] | null;
        };
        /**
         * StoredMemories
         * @description What became of them.
         */
        StoredMemories: {
            /** Stored */
            stored: string[];
            /** Reinforced */
            reinforced: string[];
            /** Superseded */
            superseded: string[];
        };
        /**
         * SuggestionOut
         * @description A threshold of trust that the past speaks for. Nothing is changed by it.
         */
        SuggestionOut: {
            /** Current */
            current: number;
            /** Suggested */
            suggested: number;
            /** Lowest */
            lowest: number;
            /** Highest */
            highest: number;
            /** Basis */
            basis: string;
            /** Considered */
            considered: number;
            /** Outcomes */
            outcomes: {
                [key: string]: number;
            };
            /** Trust */
            trust: number;
            /** Explanation */
            explanation: string;
        };
        /**
         * TagOut
         * @description A word of the taxonomy.
         */
        TagOut: {
            /** Slug */
            slug: string;
            /** Label */
            label: string;
        };
        /**
         * TierDocument
         * @description How actions of one risk are treated.
         */
        TierDocument: {
            /**
             * Verdict
             * @default deny
             * @enum {string}
             */
            verdict?: "allow" | "approval" | "deny";
            /**
             * Quorum
             * @default 1
             */
            quorum?: number;
            /**
             * Max Attempts
             * @default 5
             */
            max_attempts?: number;
            /**
             * Backoff S
             * @default 2
             */
            backoff_s?: number;
            /**
             * Approval Ttl S
             * @default 86400
             */
            approval_ttl_s?: number;
        };
        /**
         * TiersDocument
         * @description A tier for each risk.
         */
        TiersDocument: {
            /**
             * @default {
             *       "verdict": "allow",
             *       "quorum": 1,
             *       "max_attempts": 8,
             *       "backoff_s": 1,
             *       "approval_ttl_s": 86400
             *     }
             */
            low?: components["schemas"]["TierDocument"];
            /**
             * @default {
             *       "verdict": "allow",
             *       "quorum": 1,
             *       "max_attempts": 5,
             *       "backoff_s": 2,
             *       "approval_ttl_s": 86400
             *     }
             */
            medium?: components["schemas"]["TierDocument"];
            /**
             * @default {
             *       "verdict": "approval",
             *       "quorum": 1,
             *       "max_attempts": 3,
             *       "backoff_s": 5,
             *       "approval_ttl_s": 86400
             *     }
             */
            high?: components["schemas"]["TierDocument"];
            /**
             * @default {
             *       "verdict": "approval",
             *       "quorum": 2,
             *       "max_attempts": 2,
             *       "backoff_s": 10,
             *       "approval_ttl_s": 14400
             *     }
             */
            critical?: components["schemas"]["TierDocument"];
        };
        /**
         * ToolDocument
         * @description What is stricter for some tools than their tier.
         */
        ToolDocument: {
            /**
             * Tools
             * @example [
             *       "payments.*"
             *     ]
             */
            tools: string[];
            /** Verdict */
            verdict?: ("allow" | "approval" | "deny") | null;
            /** Quorum */
            quorum?: number | null;
            /** Trust Threshold */
            trust_threshold?: number | null;
            /**
             * Require Evidence
             * @default false
             */
            require_evidence?: boolean;
            /** Per Action Amount */
            per_action_amount?: number | string | null;
            /** Max Attempts */
            max_attempts?: number | null;
            /** Approval Ttl S */
            approval_ttl_s?: number | null;
        };
        /**
         * ToolOut
         * @description A tool as it stands.
         */
        ToolOut: {
            /** Slug */
            slug: string;
            /** Version */
            version: string;
            /** Provider */
            provider: string;
            /** Toolkit */
            toolkit: string;
            /** Display Name */
            display_name: string;
            /** Description */
            description: string;
            /** Schema */
            schema: {
                [key: string]: unknown;
            };
            /**
             * Risk
             * @enum {string}
             */
            risk: "low" | "medium" | "high" | "critical";
            /** Required Scopes */
            required_scopes: string[];
            /** Idempotent */
            idempotent: boolean;
            /** Needs Account */
            needs_account: boolean;
            /** Amount Argument */
            amount_argument: string | null;
            /** Timeout S */
            timeout_s: number;
            /** Config */
            config: {
                [key: string]: unknown;
            };
            /** Digest */
            digest: string;
            /**
             * Status
             * @enum {string}
             */
            status: "active" | "drifted" | "removed";
            /** Current */
            current: boolean;
            /**
             * Source
             * @enum {string}
             */
            source: "code" | "tenant";
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * ToolPage
         * @description Some tools, by slug.
         */
        ToolPage: {
            /** Items */
            items: components["schemas"]["ToolOut"][];
            /** Next */
            next: string | null;
        };
        /**
         * TotalOut
         * @description How often an event happened, and in how many sessions.
         */
        TotalOut: {
            /** Name */
            name: string;
            /** Events */
            events: number;
            /** Sessions */
            sessions: number;
        };
        /**
         * TryAction
         * @description What would be decided about an action?
         * @example {
         *       "action": {
         *         "risk": "high",
         *         "tool": "refund"
         *       }
         *     }
         */
        TryAction: {
            action: components["schemas"]["AskedAction"];
            /**
             * @default {
             *       "tool_known": true,
             *       "approved": false
             *     }
             */
            facts?: components["schemas"]["AskedFacts"];
            policy?: components["schemas"]["PolicyDocument"] | null;
            /** At */
            at?: string | null;
        };
        /**
         * UIMessage
         * @description A message as `useChat` sends it; what else it carries is ignored.
         */
        UIMessage: {
            /**
             * Id
             * @default
             */
            id?: string;
            /**
             * Role
             * @enum {string}
             */
            role: "system" | "user" | "assistant";
            /** Parts */
            parts?: {
                [key: string]: unknown;
            }[];
        };
        /**
         * UpdateProject
         * @description What changes; the rest stays. null takes away what may be missing.
         */
        UpdateProject: {
            /**
             * Title
             * @example Pawlog
             */
            title?: string | null;
            /** Mode */
            mode?: ("builder" | "student") | null;
            /**
             * Status
             * @example in-progress
             */
            status?: ("planning" | "in-progress" | "building" | "completed" | "archived") | null;
            /** Description */
            description?: string | null;
            /** Tech Stack */
            tech_stack?: string[] | null;
            requirements_spec?: components["schemas"]["RequirementsDoc"] | null;
            architecture_spec?: components["schemas"]["WireframeSpec"] | null;
        };
        /**
         * UpdateSession
         * @description 003: contact details and answers.
         */
        UpdateSession: {
            /** Email */
            email?: string | null;
            /** Phone */
            phone?: string | null;
            /** Name */
            name?: string | null;
            /**
             * Context
             * @example {
             *       "pricing": {
             *         "dayRate": "$300"
             *       }
             *     }
             */
            context?: {
                [key: string]: unknown;
            } | null;
        };
        /**
         * UserPersona
         * @description For whom an application is made.
         */
        UserPersona: {
            /** Role */
            role: string;
            /** Goal */
            goal: string;
            /** Pain Point */
            pain_point: string;
        };
        /**
         * VersionOut
         * @description One version.
         */
        VersionOut: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Version */
            version: number;
            /** Model */
            model: string | null;
            /** Temperature */
            temperature: number | null;
            /** Max Tokens */
            max_tokens: number | null;
            /** Instructions */
            instructions: string;
            /** Tools */
            tools: string[];
            /** Output Schema */
            output_schema: {
                [key: string]: unknown;
            } | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * VoteLinkOut
         * @description A link for one vote; it is shown this once.
         */
        VoteLinkOut: {
            /** Token */
            token: string;
            /** Path */
            path: string;
        };
        /**
         * WireframeSpec
         * @description What the wireframe agent draws; kept in ``projects.architecture_spec``.
         */
        WireframeSpec: {
            /** Site Map */
            site_map: components["schemas"]["PageRoute"][];
            /** Global State Needs */
            global_state_needs: string[];
            /** Theme Colors */
            theme_colors: string[];
        };
        /**
         * StepOut
         * @description A step of it, likewise.
         */
        stead__http__event_bodies__StepOut: {
            /** Phase */
            phase: string;
            /** Position */
            position: number;
            /** Sessions */
            sessions: number;
            /** Completed */
            completed: number;
            /** Went On */
            went_on: number;
            /** Share */
            share: number;
            /** Dropped */
            dropped: number;
            /** Converted */
            converted: number;
            /** Median S */
            median_s: number | null;
            /** Step */
            step: string;
        };
        /**
         * RunAgent
         * @description Which agent is to work on a project, and on what.
         */
        stead__http__job_bodies__RunAgent: {
            /**
             * Project Id
             * Format: uuid
             */
            project_id: string;
            /**
             * Agent Type
             * @example research
             */
            agent_type: string;
            /**
             * Input Context
             * @example {
             *       "user_idea": "A CRM for dog walkers"
             *     }
             */
            input_context?: {
                [key: string]: unknown;
            };
        };
        /**
         * StepOut
         * @description What a job has done.
         */
        stead__http__job_bodies__StepOut: {
            /** Name */
            name: string;
            /** Kind */
            kind: string;
            /** Result */
            result: unknown;
            /** Duration Ms */
            duration_ms: number | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * RunAgent
         * @description A prompt of a session, for the agent that is named, the session's, or the concierge.
         */
        stead__http__marketplace_bodies__RunAgent: {
            /**
             * Session Id
             * Format: uuid
             */
            session_id: string;
            /**
             * Prompt
             * @example What would you do first?
             */
            prompt: string;
            /** Agent */
            agent?: string | null;
            /** Message Id */
            message_id?: string | null;
            /** Metadata */
            metadata?: {
                [key: string]: unknown;
            };
            /**
             * Stream
             * @default true
             */
            stream?: boolean;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    open_session_api_session_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenSession"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenedSession"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_session_api_session__session_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    update_session_api_session__session_id__patch: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateSession"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DoneFor"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    link_session_api_session__session_id__link_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkSession"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DoneFor"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    complete_session_api_session__session_id__complete_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CompleteSession"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    close_session_agents_sessions__session_id__close_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Closed"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_sessions_api_sessions_get: {
        parameters: {
            query?: {
                status?: ("in_progress" | "completed" | "abandoned" | "failed" | "timeout") | null;
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_messages_api_session__session_id__messages_get: {
        parameters: {
            query?: {
                after?: number;
                limit?: number;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessagePage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_runs_api_session__session_id__runs_get: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_run_v1_runs__run_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_feedback_api_session__session_id__messages__message_id__feedback_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
                /** @description As in the session's messages. */
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedbackOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    give_feedback_api_session__session_id__messages__message_id__feedback_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
                /** @description As in the session's messages. */
                message_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GiveFeedback"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedbackOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    withdraw_feedback_api_session__session_id__messages__message_id__feedback_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
                /** @description As in the session's messages. */
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    catalog_api_events_catalog_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CatalogueOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    send_api_events_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendEvents"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventsTaken"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    funnel_v1_events_funnel_get: {
        parameters: {
            query?: {
                /** @description Thirty days before the end. */
                from?: string | null;
                /** @description Now. */
                to?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FunnelOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    chat_api_chat_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Chat"];
            };
        };
        responses: {
            /** @description UI message stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    resume_api_chat__session_id__stream_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The whole stream, then live */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description Nothing is being answered */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    stop_api_chat__session_id__stop_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Stopped"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    latest_api_generate__type__get: {
        parameters: {
            query: {
                sessionId: string;
            };
            header?: never;
            path: {
                type: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Generated"];
                };
            };
            /** @description Nothing of this type was generated yet */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    generate_api_generate__type__post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path: {
                type: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Generate"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Generated"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    evaluate_memories_agents_memories_evaluation_get: {
        parameters: {
            query?: {
                /** @description 30 days ago without it. */
                since?: string | null;
                /** @description Now without it. */
                until?: string | null;
                bucket?: "day" | "week" | "total";
                agent?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluationOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_memories_agents_memories_get: {
        parameters: {
            query?: {
                /** @description For services: whose. */
                profile_id?: string | null;
                session_id?: string | null;
                agent?: string | null;
                kinds?: ("turn" | "fact" | "summary")[] | null;
                topic?: string | null;
                include_superseded?: boolean;
                include_archived?: boolean;
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemoryPageOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    store_memories_agents_memories_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StoreMemories"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoredMemories"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    search_memories_agents_memories_search_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SearchMemories"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FoundMemories"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    export_memories_agents_memories_export_get: {
        parameters: {
            query?: {
                /** @description For services: whose. */
                profile_id?: string | null;
                session_id?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A record a line */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": unknown;
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    memory_history_agents_memories__memory_id__history_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                memory_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemoryOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_memory_agents_memories__memory_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                memory_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemoryOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_memory_agents_memories__memory_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                memory_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedMemories"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    change_memory_agents_memories__memory_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                memory_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeMemory"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemoryOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    inspect_memories_api_admin_memories_get: {
        parameters: {
            query?: {
                /** @description For services: whose. */
                profile_id?: string | null;
                session_id?: string | null;
                q?: string | null;
                as_of?: string | null;
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InspectedMemories"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    forget_agents_memories_forget_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Forget"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ForgottenOut"];
                };
            };
            /** @description A worker does the rest */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ForgottenOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_agents_v1_agents_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    save_agent_v1_agents_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveAgent"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Saved"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_versions_v1_agents__slug__versions_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    add_version_v1_agents__slug__versions_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveVersion"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_agents_api_agents_get: {
        parameters: {
            query?: {
                q?: string | null;
                tag?: string[] | null;
                industry?: string[] | null;
                pricing_model?: string | null;
                min_price?: number | null;
                max_price?: number | null;
                min_rating?: number | null;
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListingPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_agent_api_agents__slug__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetailOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    save_listing_v1_agents__slug__listing_put: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveListing"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListingOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    endorse_agent_v1_agents__slug__endorsements_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Endorse"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndorsementOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    compare_agents_api_agents_compare_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Compare"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Compared"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_candidates_api_agents_compare__session_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeptCandidates"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    chat_with_agent_api_agents_chat_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChatWithAgent"];
            };
        };
        responses: {
            /** @description UI message stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    run_agent_agents_run_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["stead__http__marketplace_bodies__RunAgent"];
            };
        };
        responses: {
            /** @description UI message stream or, with `stream` false, the answer when it is there */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                    "application/json": components["schemas"]["RanAgent"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    join_waitlist_api_hire_waitlist_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JoinWaitlist"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntryOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_waitlist_api_admin_waitlist_get: {
        parameters: {
            query?: {
                status?: ("new" | "contacted") | null;
                agent?: string | null;
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntryPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    set_waitlist_status_api_admin_waitlist__entry_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entry_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetEntryStatus"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntryOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    run_agent_v1_run_agent_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["stead__http__job_bodies__RunAgent"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    run_pipeline_v1_run_pipeline_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RunPipeline"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    listing_v1_jobs_get: {
        parameters: {
            query?: {
                status?: ("queued" | "running" | "completed" | "failed" | "waiting_for_input" | "cancelled")[] | null;
                kind?: string | null;
                limit?: number;
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    create_v1_jobs_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateJob"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Made"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_v1_jobs__job_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    details_v1_jobs__job_id__details_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDetails"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    of_project_v1_jobs__project_id__list_get: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
            };
            header?: never;
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobList"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    stream_v1_jobs__job_id__stream_get: {
        parameters: {
            query?: never;
            header?: {
                "last-event-id"?: string | null;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description It has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    respond_v1_jobs__job_id__respond_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Respond"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Resumed"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    cancel_v1_jobs__job_id__cancel_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatusOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    retry_v1_jobs__job_id__retry_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatusOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    queues_v1_queues_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    save_queue_v1_queues__queue__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                queue: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveQueue"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_projects_v1_projects_get: {
        parameters: {
            query?: {
                status?: ("planning" | "in-progress" | "building" | "completed" | "archived") | null;
                mode?: ("builder" | "student") | null;
                /** @description For services: whose. */
                user_id?: string | null;
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    create_project_v1_projects_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateProject"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_project_v1_projects__project_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_project_v1_projects__project_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    update_project_v1_projects__project_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateProject"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_files_v1_projects__project_id__files_get: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: never;
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilePage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_file_v1_projects__project_id__files__path__get: {
        parameters: {
            query?: {
                version?: number | null;
            };
            header?: never;
            path: {
                project_id: string;
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    put_file_v1_projects__project_id__files__path__put: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
                path: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutFile"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_file_v1_projects__project_id__files__path__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_file_versions_v1_projects__project_id__file_versions__path__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileVersionOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_roadmaps_v1_projects__project_id__roadmaps_get: {
        parameters: {
            query?: {
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoadmapPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    create_roadmap_v1_projects__project_id__roadmaps_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveRoadmap"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoadmapOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_roadmap_v1_projects__project_id__roadmaps__roadmap_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
                roadmap_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoadmapOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_roadmap_v1_projects__project_id__roadmaps__roadmap_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
                roadmap_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    advance_roadmap_v1_projects__project_id__roadmaps__roadmap_id__advance_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
                roadmap_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AdvanceRoadmap"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoadmapOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_daily_sessions_v1_projects__project_id__daily_sessions_get: {
        parameters: {
            query?: {
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DailySessionPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    start_daily_session_v1_projects__project_id__daily_sessions_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DailySessionOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_daily_session_v1_projects__project_id__daily_sessions__daily_session_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
                daily_session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DailySessionOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_daily_session_v1_projects__project_id__daily_sessions__daily_session_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
                daily_session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    say_to_mentor_v1_projects__project_id__daily_sessions__daily_session_id__messages_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
                daily_session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SayToMentor"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MentorSaid"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    export_to_github_v1_projects__project_id__export_github_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExportToGithub"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportedToGithub"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    export_as_zip_v1_projects__project_id__export_zip_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A zip archive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/zip": unknown;
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    listing_v1_schedules_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    save_v1_schedules_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveSchedule"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_shared_v1_schedules_shared_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SharedScheduleOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    pause_shared_v1_schedules_shared__name__pause_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SharedScheduleOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    resume_shared_v1_schedules_shared__name__resume_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SharedScheduleOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_v1_schedules__name__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    pause_v1_schedules__name__pause_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    resume_v1_schedules__name__resume_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    listing_v1_tools_get: {
        parameters: {
            query?: {
                provider?: string | null;
                after?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    show_v1_tools__slug__get: {
        parameters: {
            query?: {
                version?: string | null;
            };
            header?: never;
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    put_v1_tools__slug__put: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveTool"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    retire_v1_tools__slug__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    drifts_v1_catalog_audit_get: {
        parameters: {
            query?: {
                severity?: ("breaking" | "risky" | "harmless")[] | null;
                tool?: string | null;
                acknowledged?: boolean | null;
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DriftPageOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    acknowledge_v1_catalog_audit__drift_id__acknowledge_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                drift_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DriftOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    refresh_v1_catalog_refresh_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshCatalog"];
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefreshOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    show_v1_guardrails_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    put_v1_guardrails_put: {
        parameters: {
            query?: never;
            header?: {
                "if-match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutPolicy"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    versions_v1_guardrails_versions_get: {
        parameters: {
            query?: {
                before?: number | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    try_action_v1_guardrails_test_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryAction"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    replay_v1_guardrails_replay_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayPolicy"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    suggestions_v1_guardrails_suggestions_get: {
        parameters: {
            query?: {
                about?: string | null;
                tool?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuggestionOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_objectives_v1_objectives_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectiveOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    create_objective_v1_objectives_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveObjective"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectiveOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    show_objective_v1_objectives__objective_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                objective_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectiveOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    change_objective_v1_objectives__objective_id__put: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                objective_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveObjective"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectiveOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_objective_v1_objectives__objective_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                objective_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    listing_v1_outbox_get: {
        parameters: {
            query?: {
                status?: ("proposed" | "denied" | "deferred" | "awaiting_approval" | "pending" | "rejected" | "expired" | "superseded" | "cancelled" | "executing" | "succeeded" | "failed" | "retry_wait" | "outcome_unknown" | "dead")[] | null;
                tool?: string | null;
                run_id?: string | null;
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvelopePage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    propose_v1_outbox_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Propose"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposedOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    status_v1_outbox_status_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutboxStatus"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    letters_v1_outbox_dlq_get: {
        parameters: {
            query?: {
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LetterPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    drain_v1_outbox_dlq_drain_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Drain"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Drained"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    retry_v1_outbox_dlq__envelope_id__retry_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                envelope_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvelopeOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    show_v1_outbox__envelope_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                envelope_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvelopeDetails"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    edit_v1_outbox__envelope_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                envelope_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditArguments"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposedOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    cancel_v1_outbox__envelope_id__cancel_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                envelope_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvelopeOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    resolve_v1_outbox__envelope_id__resolve_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                envelope_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Resolve"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvelopeOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    show_v1_approvals_links__token__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    vote_v1_approvals_links__token__post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    /** @enum {string} */
                    vote: "approve" | "reject";
                    digest: string;
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    listing_v1_approvals_get: {
        parameters: {
            query?: {
                whose?: "mine" | "all";
                status?: ("pending" | "approved" | "rejected" | "expired" | "superseded" | "cancelled") | null;
                envelope_id?: string | null;
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delegations_v1_approvals_delegations_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DelegationOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delegate_v1_approvals_delegations_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Delegate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DelegationOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    revoke_v1_approvals_delegations__delegation_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                delegation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    show_v1_approvals__approval_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approval_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalDetails"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    approve_v1_approvals__approval_id__approve_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approval_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Approve"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalDetails"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    reject_v1_approvals__approval_id__reject_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approval_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reject"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalDetails"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    edit_v1_approvals__approval_id__edit_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approval_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditThenApprove"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposedOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    link_v1_approvals__approval_id__links_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approval_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MakeVoteLink"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VoteLinkOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_approvers_v1_approvers_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApproverOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    put_approver_v1_approvers__profile_id__put: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                profile_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveApprover"];
            };
        };
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_approver_v1_approvers__profile_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                profile_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    listing_v1_webhook_endpoints_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    add_v1_webhook_endpoints_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddEndpoint"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointWithSecret"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_v1_webhook_endpoints__endpoint_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                endpoint_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    change_v1_webhook_endpoints__endpoint_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                endpoint_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeEndpoint"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    rotate_v1_webhook_endpoints__endpoint_id__rotate_secret_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                endpoint_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointWithSecret"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    listing_v1_audit_get: {
        parameters: {
            query?: {
                category?: string | null;
                action?: string | null;
                actor?: string | null;
                subject_type?: string | null;
                subject?: string | null;
                profile_id?: string | null;
                since?: string | null;
                until?: string | null;
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPageOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    search_v1_audit_search_get: {
        parameters: {
            query: {
                q: string;
                kind?: string[] | null;
                explain?: boolean;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FoundHistory"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    listing_v1_accounts_get: {
        parameters: {
            query?: {
                toolkit?: string | null;
                status?: ("initializing" | "initiated" | "active" | "inactive" | "failed" | "expired" | "revoked") | null;
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountPage"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    link_v1_accounts_link_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkAccount"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkedOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_v1_accounts__account_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                account_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    refresh_v1_accounts__account_id__refresh_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                account_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    revoke_v1_accounts__account_id__revoke_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                account_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    composio_v1_webhooks_composio_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Received"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    whop_v1_webhooks_whop__org__post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's slug. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionReceived"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    calendly_v1_webhooks_calendly__org__post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's slug. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionReceived"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    listing_v1_evidence_get: {
        parameters: {
            query?: {
                source_type?: string | null;
                source_id?: string | null;
                /** @description Only what is older than this one. */
                before?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvidenceOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    record_v1_evidence_post: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecordEvidence"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordedOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    search_v1_evidence_search_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SearchEvidence"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvidenceHitOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_scopes_v1_evidence_scopes_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NeededScopeOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    need_scope_v1_evidence_scopes__source_type__put: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `*`: of every kind. */
                source_type: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NeedScope"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NeededScopeOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    release_scope_v1_evidence_scopes__source_type__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `*`: of every kind. */
                source_type: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_v1_evidence__evidence_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                evidence_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvidenceOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_v1_evidence__evidence_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                evidence_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    listing_v1_artifacts_get: {
        parameters: {
            query?: {
                evidence_id?: string | null;
                envelope_id?: string | null;
                /** @description Only what is older than this one. */
                before?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    store_v1_artifacts_post: {
        parameters: {
            query: {
                name: string;
                evidence_id?: string | null;
                envelope_id?: string | null;
                /** @description On whose behalf. */
                profile_id?: string | null;
                keep_s?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    link_v1_artifacts__artifact_id__link_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                artifact_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MakeLink"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_v1_artifacts__artifact_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                artifact_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_v1_artifacts__artifact_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                artifact_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    list_keys_v1_api_keys_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyOut"][];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    create_key_v1_api_keys_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateKey"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewKeyOut"];
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    revoke_key_v1_api_keys__key_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    changes_v1_changes_get: {
        parameters: {
            query: {
                table: string;
                event?: "*" | "INSERT" | "UPDATE" | "DELETE";
                filter?: string;
                select?: string | null;
            };
            header?: {
                "last-event-id"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-sent events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    healthz_healthz_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: string;
                    };
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    readyz_readyz_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: string;
                    };
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    status_api_status_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    content_v1_artifacts__artifact_id__content_get: {
        parameters: {
            query: {
                expires: number;
                signature: string;
            };
            header?: never;
            path: {
                artifact_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description A problem document (RFC 9457) */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
}
