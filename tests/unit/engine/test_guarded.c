/* SPDX-License-Identifier: Apache-2.0
 * Closed by default: a caller's context without a guard finds and changes nothing; and which places of the region's own
 * nothing is fetched from. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cloud.h"
#include "engine/region/host.h"
#include "engine/region/host_internal.h"
#include "engine/region/remotes.h"
#include "engine/resolve.h"
#include "model/kinds.h"

/* A debug build aborts the child; in other builds the operation fails with ERR_DENIED. */
static bool is_refused(struct cloud *c, const struct identity *who, bool has_guard)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		(void) signal(SIGABRT, SIG_DFL);
		ctx_init(&c->c, c->arena);
		engine_act_by_roles(&c->c, who);
		c->c.guard = has_guard ? c->c.guard : NULL;
		const struct row *row = NULL;
		const struct ref ref = ref_by_id(KIND_HOST, c->hosts[0]);
		struct result found = engine_look_up(&c->c, cloud_tables(c), KIND_HOST, &ref, &row);
		_exit(found.code == ERR_DENIED ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) == SIGABRT : WEXITSTATUS(status) == 1;
}

static void check_closed(void **state)
{
	struct cloud *c = *state;
	assert_true(is_refused(c, &c->alice, false));
	assert_false(is_refused(c, &c->alice, true));
	assert_false(is_refused(c, &c->operator, false));
	assert_false(is_refused(c, NULL, false));
}

/* A text of a row that sounds like a place is in the table, or is no place that the region connects to by itself. */
static const struct {
	enum kind kind;
	const char *field;
} no_remotes[] = {
	{KIND_DOMAIN, "bill_address"},      {KIND_IMAGE, "fetch_url"}, /* an account's own */
	{KIND_IMPORT_SNAPSHOT_TASK, "url"}, {KIND_OIDC_PROVIDER, "url"},
	{KIND_TICKET_LINK, "foreign_url"}, /* people open it */
};

static bool sounds_like_a_place(const struct field *f)
{
	static const char *const words[] = {"url", "uri", "monitor", "endpoint", "address"};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if ((f->type == FIELD_TEXT || f->type == FIELD_TEXTS) && strstr(f->name, words[k]))
			return true;
	return false;
}

static bool is_decided(enum kind kind, const char *field)
{
	for (const struct remote_field *f = engine_remote_fields; f->field; f++)
		if (f->kind == kind && strcmp(f->field, field) == 0)
			return true;
	for (size_t k = 0; k < sizeof no_remotes / sizeof no_remotes[0]; k++)
		if (no_remotes[k].kind == kind && strcmp(no_remotes[k].field, field) == 0)
			return true;
	return false;
}

static void check_remotes(void **state)
{
	struct cloud *c = *state;
	struct strs remotes = {0};
	struct host_wish wish = {
		.name = STR("hv9"), .uri = STR("qemu+tls://hv9.example/system"), .reserved_memory = -1};
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++)
		for (unsigned n = 0; n < model_kinds[k].field_count; n++)
			if (sounds_like_a_place(&model_kinds[k].fields[n]) &&
			    !is_decided(k, model_kinds[k].fields[n].name))
				fail_msg("%s.%s: name it in region/remotes.c, or in this test",
					 model_kinds[k].name, model_kinds[k].fields[n].name);
	cloud_ok(c, &c->operator, engine_add_host, &wish);
	assert_true(engine_list_remotes(cloud_tables(c), c->arena, &remotes));
	bool has = false;
	for (size_t k = 0; k < remotes.count; k++)
		has |= str_equal(remotes.at[k], wish.uri);
	assert_true(has);
}

static void check_places(void **state)
{
	static const char *const good[] = {"sim://",
					   "sim://?lacks=avx2",
					   "qemu:///system",
					   "qemu+tls://hv1.example.com/system",
					   "qemu+ssh://root@hv1:22/system?keyfile=/etc/dari/id&no_verify=1",
					   "qemu+unix:///system?socket=/run/hv1.sock",
					   "qemu+tls://[fd00::1]/system"};
	static const char *const bad[] = {"",
					  "sim://?keyfile=/etc/dari/id",
					  "sim://?lacks=a/b",
					  "qemu+tls://h/system?lacks=avx2",
					  "x",
					  "/system",
					  "://h/system",
					  "qemu+tls://h\n/system",
					  "qemu+tls://h /system",
					  "qemu+tls://h/system%3fcommand=x",
					  "qemu+ssh://h/system?command=x",
					  "qemu+ssh://h/system?keyfile=/a;b",
					  "qemu+ssh://h/system?netcat=x",
					  "qemu+tls://h'/system"};
	(void) state;
	for (size_t k = 0; k < sizeof good / sizeof good[0]; k++)
		if (!host_is_uri(str_from(good[k])))
			fail_msg("%s is a URI", good[k]);
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		if (host_is_uri(str_from(bad[k])))
			fail_msg("%s is no URI", bad[k]);
	assert_true(host_is_path(STR("/var/lib/libvirt/images")));
	for (const char *const *path =
		     (const char *const[]){"/", "a", "/a/", "/a//b", "/a/../b", "/a/..", "/a b", "/a\n", 0};
	     *path; path++)
		assert_false(host_is_path(str_from(*path)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_closed, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_remotes, cloud_setup, cloud_teardown),
		cmocka_unit_test(check_places),
	};
	return cmocka_run_group_tests_name("guarded", tests, NULL, NULL);
}
