/* SPDX-License-Identifier: Apache-2.0
 * Compares the directory's users with the directory: one search a user over one connection, and a change only where something differs. */
#include "auth/directory/directory_sync.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "engine/people/sign_in/directory_user.h"
#include "engine/resolve.h"
#include "store/domain.h"
#include "store/store.h"
#include "store/user.h"

enum { BATCH = 256, GONE_AT_ONCE = 3, GONE_PERCENT = 30 };
#define SYNC_ARENA_CAP ((size_t) 64 * 1024 * 1024)

struct directory_sync {
	struct store *store;
	const struct login_directory *directory;
	int64_t interval_us;
	struct actor *actor;
	struct job job;
};

struct listed {
	uuid user;
	struct str id;
	bool is_gone;
};
struct listing {
	uuid domain;
	VEC(struct listed) users;
};

bool directory_is_plausible(size_t all, size_t gone)
{
	if (gone == all && all > 1)
		return false;
	return gone <= GONE_AT_ONCE || gone * 100 <= all * GONE_PERCENT;
}

/* Disabled users are an administrator's matter. */
static RESULT list_users(struct directory_sync *s, struct ctx *c, struct listing *ret)
{
	AUTO_VIEW view = {0};
	view_open(s->store, &view);
	const struct domain *domain = domain_find_by_name(view.tables, s->directory->domain);
	ret->domain = domain ? domain->row.id : UUID_NONE;
	const struct user *u = domain ? user_first_by_owner(view.tables, UUID_NONE) : NULL;
	for (; u; u = user_next_by_owner(view.tables, u)) {
		if (!u->directory_id.n || !uuid_equal(u->domain, domain->row.id) ||
		    !engine_is_user_open(view.tables, u))
			continue;
		const struct listed listed = {u->row.id, str_copy(c->arena, u->directory_id), false};
		if (!VEC_PUSH(c->arena, &ret->users, listed))
			return ctx_no_memory(c);
	}
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

/* Logs a person whom the region cannot take: the name belongs to another user or is not valid here, or the group is full.
 * The person's user stays as it was, and the look goes on to find those who have left. */
static RESULT admit(struct directory_sync *s, struct ctx *c, uuid domain, const struct ldap_person *person)
{
	struct result r = login_admit(s->store, c, s->directory, domain, person, NULL);
	bool is_theirs = r.code == ERR_UNAUTHENTICATED || r.code == ERR_INVALID || r.code == ERR_EXISTS ||
			 r.code == ERR_QUOTA;
	if (!is_theirs)
		return r;
	log_event(LOG_WARN, "directory-user-kept", "name=%s reason=%s", log_quote(person->name),
		  log_quote(c->problem.message));
	ctx_clear_problem(c);
	return OK;
}

/* Each batch has an arena of its own, so that a directory of any size fits. */
static RESULT compare_batch(struct directory_sync *s, struct ctx *c, uuid domain, struct listed *users,
			    size_t count, size_t *gone)
{
	struct str *ids = arena_new_array(c->arena, struct str, count);
	struct ldap_person *people = arena_new_array(c->arena, struct ldap_person, count);
	if (!ids || !people)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++)
		ids[k] = users[k].id;
	TRY(ldap_directory_find(c, &s->directory->ldap, ids, count, people));
	for (size_t k = 0; k < count; k++) {
		users[k].is_gone = !people[k].id.n;
		*gone += users[k].is_gone;
		if (!users[k].is_gone)
			TRY(admit(s, c, domain, &people[k]));
	}
	return OK;
}

static RESULT disable(struct directory_sync *s, struct ctx *c, const struct listed *user)
{
	struct directory_departure wish = {.user = user->user};
	struct result r = store_commit(s->store, c, "LeaveDirectory", engine_leave_directory_run, &wish);
	if (result_is_ok(r) || r.code != ERR_PROTECTED)
		return r;
	char id[UUID_TEXT_SIZE];
	log_event(LOG_WARN, "directory-user-kept", "user=%s reason=%s", uuid_write(user->user, id),
		  log_quote(c->problem.message));
	ctx_clear_problem(c);
	return OK;
}

static RESULT compare(struct directory_sync *s, struct ctx *c)
{
	struct listing listing = {0};
	size_t gone = 0;
	TRY(list_users(s, c, &listing));
	for (size_t k = 0; k < listing.users.count; k += BATCH) {
		AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, SYNC_ARENA_CAP);
		struct ctx batch;
		if (!arena)
			return ctx_no_memory(c);
		ctx_init(&batch, arena);
		size_t left = listing.users.count - k;
		struct result r = compare_batch(s, &batch, listing.domain, &listing.users.at[k],
						left < BATCH ? left : BATCH, &gone);
		if (!result_is_ok(r))
			return ctx_fail(c, r.code, "%" STR_FMT, STR_ARG(batch.problem.message));
	}
	if (!directory_is_plausible(listing.users.count, gone))
		return ctx_fail(c, ERR_CONFLICT,
				"%zu of %zu people are gone at once, so nobody is disabled: check "
				"directory.people and directory.person_filter, or disable them yourself",
				gone, listing.users.count);
	for (size_t k = 0; k < listing.users.count; k++)
		if (listing.users.at[k].is_gone)
			TRY(disable(s, c, &listing.users.at[k]));
	return OK;
}

static void run_job(struct job *job)
{
	struct directory_sync *s =
		(struct directory_sync *) (void *) ((char *) job - offsetof(struct directory_sync, job));
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, SYNC_ARENA_CAP);
	struct ctx c;
	if (arena) {
		ctx_init(&c, arena);
		struct result r = compare(s, &c);
		if (!result_is_ok(r))
			log_event(LOG_ERROR, "directory-failed", "reason=%s", log_quote(c.problem.message));
	}
	actor_post_at(s->actor, job, clock_now_us() + s->interval_us);
}

RESULT directory_sync_new(struct ctx *c, const struct directory_sync_config *config,
			  struct directory_sync **ret_sync)
{
	AUTO(directory_sync) s = heap_new(struct directory_sync);
	if (!s)
		return ctx_no_memory(c);
	s->store = config->store;
	s->directory = config->directory;
	s->interval_us = config->interval_us;
	s->job.run = run_job;
	s->actor = actor_new(config->executor, "directory");
	if (!s->actor)
		return ctx_no_memory(c);
	actor_post(s->actor, &s->job);
	*ret_sync = TAKE(s);
	return OK;
}

void directory_sync_free(struct directory_sync *s)
{
	if (!s)
		return;
	if (s->actor)
		actor_free(s->actor);
	heap_free(s);
}
