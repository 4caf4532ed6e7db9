/* SPDX-License-Identifier: Apache-2.0
 * Closed by default: a caller's context without a guard finds and changes nothing; and which places of the region's own
 * nothing is fetched from. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cloud.h"
#include "engine/billing/billing.h"
#include "engine/billing/invoices.h"
#include "engine/region/host.h"
#include "engine/region/host_internal.h"
#include "engine/region/remotes.h"
#include "engine/resolve.h"
#include "model/kinds.h"
#include "store/user_data.h"

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

/* Changes rows, and asks for no permission. */
static RESULT forget_to_ask_run(struct op *op, void *wish)
{
	const struct user_data probe = {.row = {.id = uuid_random(), .gen = 1},
					.account = *(const uuid *) wish};
	return user_data_put(op, &probe);
}

static RESULT need_no_permission_run(struct op *op, void *wish)
{
	engine_need_no_permission(op);
	return forget_to_ask_run(op, wish);
}

static bool is_run(struct cloud *c, const struct identity *who, op_run run, void *wish)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		(void) signal(SIGABRT, SIG_DFL);
		_exit(result_is_ok(cloud_run(c, who, run, wish)) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A caller's change has to ask for a permission, and reports of the system are no caller's. */
static void check_asking(void **state)
{
	struct cloud *c = *state;
	uuid account = c->alice.account;
	struct host_report report = {.host = c->hosts[0]};
	assert_true(is_run(c, NULL, forget_to_ask_run, &account));
	assert_false(is_run(c, &c->alice, forget_to_ask_run, &account));
	assert_false(is_run(c, &c->operator, forget_to_ask_run, &account));
	assert_true(is_run(c, &c->alice, need_no_permission_run, &account));
	assert_true(is_run(c, NULL, engine_see_host_run, &report));
	assert_false(is_run(c, &c->alice, engine_see_host_run, &report));
	assert_false(is_run(c, &c->operator, engine_see_host_run, &report));
}

/* Bills belong to the ledger, which has no rows, so these operations ask about no row. */
static void check_ledger(void **state)
{
	struct cloud *c = *state;
	struct commitment_wish commitment = {.commitment.name = STR("c")};
	struct charges_wish charges = {.run = 1};
	struct closing_wish closing = {.run = 1};
	struct fix_wish fix = {.reason = STR("r")};
	struct invoices_wish invoices = {0};
	cloud_fails(c, &c->alice, engine_make_commitment, &commitment, ERR_DENIED, KIND_NONE);
	cloud_fails(c, &c->alice, engine_keep_charges, &charges, ERR_DENIED, KIND_NONE);
	cloud_fails(c, &c->alice, engine_close_month, &closing, ERR_DENIED, KIND_NONE);
	cloud_fails(c, &c->alice, engine_fix_usage, &fix, ERR_DENIED, KIND_NONE);
	cloud_fails(c, &c->alice, engine_issue_invoices, &invoices, ERR_DENIED, KIND_NONE);
}

/* A text of a row that sounds like a place is in the table, or is no place that the region connects to by itself. */
static const struct {
	enum kind kind;
	const char *field;
} no_remotes[] = {
	{KIND_DOMAIN, "bill_address"},
	{KIND_IMAGE, "fetch_url"},             /* an account's own */
	{KIND_TOPIC_SUBSCRIPTION, "endpoint"}, /* likewise: asks the egress policy */
	{KIND_ALARM_DELIVERY, "url"},          /* likewise */
	{KIND_IMPORT_SNAPSHOT_TASK, "url"},
	{KIND_OIDC_PROVIDER, "url"},
	{KIND_TARGET_GROUP, "monitor_title"}, /* a name */
	{KIND_LISTENER_RULE, "url"},          /* clients of a load balancer go there */
	{KIND_TICKET_LINK, "foreign_url"},    /* people open it */
	{KIND_SAML_PROVIDER, "sign_in_url"},  /* likewise */
	{KIND_CLUSTER, "endpoint"},           /* machines of the cluster connect to it */
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
		cmocka_unit_test_setup_teardown(check_asking, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ledger, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_remotes, cloud_setup, cloud_teardown),
		cmocka_unit_test(check_places),
	};
	return cmocka_run_group_tests_name("guarded", tests, NULL, NULL);
}
