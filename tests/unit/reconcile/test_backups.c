/* SPDX-License-Identifier: Apache-2.0
 * Backups, end to end: a volume's content is restored from its backup, even if processes are killed
 * meanwhile. A target that does not answer is retried, and a deletion leaves no objects behind. */
#include <stdio.h>
#include <unistd.h>

#include "../cloud/cloud.h"
#include "base/file.h"
#include "engine/people/account/account.h"
#include "engine/people/policy/role.h"
#include "engine/people/user.h"
#include "engine/storage/snapshot/backup.h"
#include "model/states.h"
#include "store/backup.h"
#include "store/snapshot.h"
#include "store/zone.h"

/* ---- looking ---- */

/* The texts are not to be looked at. */
static struct backup backup_row(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct backup *b = backup_find(view.tables, id);
	return b ? *b : (struct backup){0};
}

static uuid backup_called(struct cloud *c, const char *name)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct backup *b = backup_first(view.tables);
	while (b && !str_is(b->name, name))
		b = backup_next(view.tables, b);
	return b ? b->row.id : UUID_NONE;
}

static enum backup_state state_of(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return model_derive_backup_state(backup_find(view.tables, id));
}

static void write_text(struct cloud *c, uuid volume, const char *text)
{
	assert_int_equal(c->host_count, 1);
	sim_compute_write_disk(STR("h0"), volume, text);
}

static bool has_text(uuid volume, const char *text)
{
	return sim_compute_disk_has(STR("h0"), volume, text);
}

static const char *folder_of(struct cloud *c, uuid backup)
{
	static char path[200];
	char id[UUID_TEXT_SIZE];
	(void) snprintf(path, sizeof path, "%s/backups/" BACKUP_CONTAINER "/%s", c->directory,
			uuid_write(backup, id));
	return path;
}

/* ---- requests of users ---- */

static RESULT make_volume(struct cloud *c, bool is_encrypted, const char *token, uuid *ret_volume)
{
	struct volume_wish wish = {.disk = {.size = CLOUD_GIB,
					    .type = STR("gp2"),
					    .crypt.is_wanted = is_encrypted ? CHOICE_YES : CHOICE_DEFAULT},
				   .client_token = str_from(token)};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		wish.zone = cloud_ref(c, KIND_ZONE, zone_first(view.tables)->row.id);
	}
	TRY(cloud_call(c, &c->alice, engine_create_volume_run, &wish));
	*ret_volume = wish.volume;
	return OK;
}

static RESULT back_up(struct cloud *c, uuid volume, const char *name, bool is_incremental)
{
	struct backup_wish wish = {.target = c->backup.url,
				   .volume = cloud_ref(c, KIND_VOLUME, volume),
				   .name = str_from(name),
				   .is_incremental = is_incremental};
	return cloud_call(c, &c->alice, engine_create_backup_run, &wish);
}

static RESULT restore(struct cloud *c, uuid backup, uuid volume)
{
	struct backup_restoring wish = {.backup = cloud_ref(c, KIND_BACKUP, backup),
					.volume = cloud_ref(c, KIND_VOLUME, volume)};
	return cloud_call(c, &c->alice, engine_restore_backup_run, &wish);
}

static RESULT drop(struct cloud *c, uuid backup)
{
	struct backup_deleting wish = {.backup = cloud_ref(c, KIND_BACKUP, backup)};
	return cloud_call(c, &c->alice, engine_delete_backup_run, &wish);
}

/* ---- there and back, and the process dies ---- */

struct tale {
	uuid volume, other;
	bool is_encrypted, is_restored;
};

static bool back_up_once(struct cloud *c, const struct tale *t, const char *name, const char *text,
			 bool is_incremental)
{
	if (uuid_is_none(backup_called(c, name))) {
		write_text(c, t->volume, text);
		if (!cloud_was_answered(c, back_up(c, t->volume, name, is_incremental)))
			return false;
	}
	return cloud_lived_to_settle(c);
}

static bool restore_once(struct cloud *c, struct tale *t, const char *name, const char *text)
{
	uuid backup = backup_called(c, name);
	assert_int_equal(state_of(c, backup), BACKUP_AVAILABLE);
	if (!has_text(t->other, text) && !cloud_was_answered(c, restore(c, backup, t->other)))
		return false;
	return cloud_lived_to_settle(c);
}

/* False: it died. */
static bool tell(struct cloud *c, struct tale *t)
{
	if (!cloud_was_answered(c, make_volume(c, t->is_encrypted, "one", &t->volume)) ||
	    !cloud_was_answered(c, make_volume(c, t->is_encrypted, "other", &t->other)) ||
	    !cloud_lived_to_settle(c) || !back_up_once(c, t, "full", "first", false) ||
	    !back_up_once(c, t, "more", "second", true))
		return false;
	write_text(c, t->volume, "third");
	return restore_once(c, t, "full", "first");
}

static void check_told(struct cloud *c, const struct tale *t)
{
	uuid full = backup_called(c, "full"), more = backup_called(c, "more");
	assert_true(has_text(t->other, "first") && has_text(t->volume, "third"));
	assert_true(uuid_equal(backup_row(c, more).parent, full));
	cloud_expect_at(c, restore(c, more, t->volume), __FILE__, __LINE__);
	cloud_settle(c);
	assert_true(has_text(t->volume, "second"));
	assert_true(file_exists(folder_of(c, full)) && file_exists(folder_of(c, more)));
	cloud_expect_at(c, drop(c, more), __FILE__, __LINE__);
	cloud_settle(c);
	cloud_expect_at(c, drop(c, full), __FILE__, __LINE__);
	cloud_settle(c);
	assert_true(!file_exists(folder_of(c, full)));
	assert_true(uuid_is_none(backup_called(c, "full")) && uuid_is_none(backup_called(c, "more")));
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct snapshot *s = snapshot_first(view.tables); s; s = snapshot_next(view.tables, s))
		assert_true(!s->is_bound || !row_is_live(&s->row));
}

static void kill_at_each(bool is_encrypted)
{
	bool was_killed = true;
	for (uint64_t kill_at = 1; was_killed; kill_at += 1 + kill_at / 24) {
		struct cloud *c = cloud_new(kill_at, 1);
		struct tale t = {.is_encrypted = is_encrypted};
		c->kill_at = c->steps + kill_at;
		was_killed = !tell(c, &t);
		c->kill_at = 0;
		if (was_killed) {
			cloud_restart(c);
			assert_true(tell(c, &t));
		}
		check_told(c, &t);
		cloud_done(c);
	}
}

static void test_killed(void **state)
{
	(void) state;
	kill_at_each(false);
}

static void test_killed_encrypted(void **state)
{
	(void) state;
	kill_at_each(true);
}

/* ---- the account's limit, and who asked ---- */

/* False: the backup was asked for, and nothing of it is in the target. */
static bool comes_to_be(struct cloud *c, void (*revoke)(struct cloud *c))
{
	uuid volume = UUID_NONE;
	cloud_expect_at(c, make_volume(c, false, "one", &volume), __FILE__, __LINE__);
	cloud_settle(c);
	write_text(c, volume, "text");
	cloud_expect_at(c, back_up(c, volume, "full", false), __FILE__, __LINE__);
	revoke(c);
	cloud_settle(c);
	uuid backup = backup_called(c, "full");
	enum backup_state state = state_of(c, backup);
	assert_true(state == BACKUP_AVAILABLE || !file_exists(folder_of(c, backup)));
	return state == BACKUP_AVAILABLE;
}

static void leave_no_bytes(struct cloud *c)
{
	struct account_limits limits =
		account_limits_all(cloud_ref(c, KIND_ACCOUNT, c->alice.account), ACCOUNT_LIMIT_KEEP);
	limits.disk_bytes = 0;
	cloud_ok(c, NULL, engine_set_limits, &limits);
}

static void disable_user(struct cloud *c)
{
	struct user_change wish = {.user = cloud_ref(c, KIND_USER, c->alice.user), .enabled = CHOICE_NO};
	cloud_ok(c, NULL, engine_update_user, &wish);
}

/* From now on a user of the default domain acts for the account, who may be disabled; its owner may not. */
static void act_as_member(struct cloud *c)
{
	struct user_wish user = {.name = STR("ann")};
	cloud_ok(c, NULL, engine_create_user, &user);
	struct role_grant grant = {.user = cloud_ref(c, KIND_USER, user.user),
				   .role = {.kind = KIND_ROLE, .text = STR("member")},
				   .account = cloud_ref(c, KIND_ACCOUNT, c->alice.account)};
	cloud_ok(c, NULL, engine_grant_role, &grant);
	c->alice.user = user.user;
}

static void revoke_nothing(struct cloud *c)
{
	(void) c;
}

static void test_stops(void **state)
{
	void (*const ways[])(struct cloud *) = {revoke_nothing, leave_no_bytes, disable_user};
	(void) state;
	for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
		struct cloud *c = cloud_new(1, 1);
		act_as_member(c);
		assert_int_equal(comes_to_be(c, ways[k]), k == 0);
		cloud_done(c);
	}
}

/* ---- a target that does not answer ---- */

/* A file stands where the directory is to be: once it is gone, all goes on by itself. */
static void test_target_away(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid volume = UUID_NONE;
	char path[100];
	(void) snprintf(path, sizeof path, "%s/backups", c->directory);
	FILE *f = fopen(path, "w");
	assert_true(f && fclose(f) == 0);
	cloud_expect_at(c, make_volume(c, false, "one", &volume), __FILE__, __LINE__);
	cloud_settle(c);
	cloud_expect_at(c, back_up(c, volume, "full", false), __FILE__, __LINE__);
	cloud_step_for(c, 5 * MINUTE);
	uuid backup = backup_called(c, "full");
	assert_int_equal(state_of(c, backup), BACKUP_CREATING);
	assert_true(cloud_has_condition(c, backup, "NotReconciled"));
	assert_int_equal(unlink(path), 0);
	cloud_step_for(c, 30 * MINUTE);
	cloud_settle(c);
	assert_int_equal(state_of(c, backup), BACKUP_AVAILABLE);
	assert_false(cloud_has_condition(c, backup, "NotReconciled"));
	cloud_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_killed_encrypted),
		cmocka_unit_test(test_stops),
		cmocka_unit_test(test_target_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
