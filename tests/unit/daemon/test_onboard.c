/* SPDX-License-Identifier: Apache-2.0
 * The script that dari host add sends to a machine, the parsing of its output, and SSH host keys. */
#include "daemon/onboard.h"

#include "../base/test_base.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/ssh.h"

static struct onboard_line read_line(struct ctx *c, const char *text)
{
	return onboard_read_line(c->arena, str_from(text));
}

static void test_lines(void **state)
{
	struct ctx *c = *state;
	struct onboard_line line = read_line(c, "dari-host\twould\tovs\tsystem-id: x\033[2J");
	assert_int_equal(line.what, ONBOARD_WOULD);
	assert_str(line.step, "ovs");
	assert_str(line.found, "system-id: x?[2J");
	assert_int_equal(read_line(c, "dari-host\tend\t\t").what, ONBOARD_END);
	static const char *const others[] = {
		"",       "Welcome",           "dari-host",        "dari-host\tmagic\tx\ty",
		"\t\t\t", "dari-check\tok\tx", " dari-host\tok\tx"};
	for (size_t k = 0; k < sizeof others / sizeof *others; k++)
		assert_int_equal(read_line(c, others[k]).what, ONBOARD_OTHER);
}

static void test_outcome(void **state)
{
	struct ctx *c = *state;
	struct onboard_outcome o = {0};
	static const char *const lines[] = {"dari-host\tok\tname\tnot the name",
					    "dari-host\tfact\tname\thv1",
					    "dari-host\tfact\taddress\t10.0.0.11",
					    "dari-host\tfact\tkvm\t/dev/kvm",
					    "dari-host\twould\ta\tb",
					    "dari-host\tchanged\ta\tb",
					    "dari-host\tchanged\tb\tb",
					    "dari-host\twrong\ta\tb",
					    "dari-host\trequest\tlibvirt\tAAA=",
					    "dari-host\trequest\tqemu\tBBB="};
	for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
		struct onboard_line line = read_line(c, lines[k]);
		onboard_count(&o, &line);
	}
	assert_false(o.has_ended);
	assert_int_equal(o.would, 1);
	assert_int_equal(o.changed, 2);
	assert_int_equal(o.wrong, 1);
	assert_str(o.name, "hv1");
	assert_str(o.address, "10.0.0.11");
	assert_str(o.libvirt_request, "AAA=");
	assert_str(o.qemu_request, "BBB=");
	struct onboard_line end = read_line(c, "dari-host\tend\t\t");
	onboard_count(&o, &end);
	assert_true(o.has_ended);
}

/* Shell words are quoted: special characters reach the script unchanged. */
static void test_script_is_quoted(void **state)
{
	struct ctx *c = *state;
	const struct onboard_wish wish = {.mode = "plan",
					  .only = "",
					  .name = STR("a'; touch /tmp/x; '$(id)`id`\\"),
					  .ca = STR("line one\nline two\n")};
	struct str script = onboard_write_script(c->arena, &wish);
	size_t head_size = 0;
	while (head_size < script.n &&
	       !str_starts_with(str_slice(script, head_size, script.n), STR("# SPDX")))
		head_size++;
	assert_true(head_size < script.n);
	struct str head =
		str_print(c->arena, "%" STR_FMT "printf '%%s|%%s|%%s' \"$name\" \"$ca\" \"$uplink\"\n",
			  STR_ARG(str_slice(script, 0, head_size)));
	const char *argv[] = {"sh", "-s", NULL};
	const struct child child = {.argv = argv, .input = head, .timeout_us = 10 * MINUTE};
	struct child_end end = {0};
	assert_ok(child_run(c, &child, &end));
	assert_str(end.out, "a'; touch /tmp/x; '$(id)`id`\\|line one\nline two|");
}

/* A script that arrives in part does nothing: its last line alone acts. */
static void test_script_cut_off(void **state)
{
	struct ctx *c = *state;
	const struct onboard_wish wish = {.mode = "plan", .only = ""};
	struct str script = onboard_write_script(c->arena, &wish);
	assert_true(str_ends_with(script, STR("\ndari_host </dev/null\n")));
	const char *argv[] = {"sh", "-s", NULL};
	for (size_t size = 1000; size < script.n - 21; size += 1777) {
		const struct child child = {
			.argv = argv, .input = str_slice(script, 0, size), .timeout_us = 10 * MINUTE};
		struct child_end end = {0};
		assert_ok(child_run(c, &child, &end));
		assert_str(end.out, "");
	}
}

static void test_addresses(void **state)
{
	struct ctx *c = *state;
	assert_ok(ssh_check_address(c, STR("root@10.0.0.11")));
	assert_ok(ssh_check_address(c, STR("root@fd00::1%eth0")));
	static const char *const bad[] = {"",         "-oProxyCommand=x", "root@a b",
					  "root@a;b", "root@a\nb",        "$(id)@a"};
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		ctx_clear_problem(c);
		assert_err(ssh_check_address(c, str_from(bad[k])), INVALID);
	}
}

/* A key by ssh-keygen; the expected fingerprint is from `ssh-keygen -l`. */
static const char known_line[] =
	"hv1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

static void test_known_hosts(void **state)
{
	struct ctx *c = *state;
	char folder[] = "/tmp/dari_test_onboard_XXXXXX";
	assert_non_null(mkdtemp(folder));
	const char *file = str_print(c->arena, "%s/known_hosts", folder).p;
	struct ssh ssh = {.address = STR("root@hv1"), .known_hosts = file};
	struct ssh other = {.address = STR("root@hv11"), .known_hosts = file};
	struct ssh_host_key key = {0}, found = {0};
	assert_ok(ssh_read_key(c, str_from(known_line), &key));
	assert_str(key.type, "ssh-ed25519");
	assert_str(key.fingerprint, "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
	assert_err(ssh_find_key(c, &ssh, &found), NOT_FOUND);
	assert_ok(ssh_trust_key(c, &ssh, &key));
	struct ssh_host_key second = key;
	second.line = STR("hv11 ssh-rsa AAAA");
	assert_ok(ssh_trust_key(c, &other, &second));
	assert_ok(ssh_trust_key(c, &ssh, &key)); /* in place of itself */
	assert_ok(ssh_find_key(c, &ssh, &found));
	assert_str(found.line, known_line);
	assert_ok(ssh_find_key(c, &other, &found));
	assert_str(found.type, "ssh-rsa");
	struct str text = STR_NONE;
	assert_ok(file_read(c, file, 1 << 20, &text));
	assert_int_equal(text.n, sizeof known_line + sizeof "hv11 ssh-rsa AAAA");
	static const char *const bad[] = {"", "hv1", "hv1 ssh-ed25519", "hv1 ssh-ed25519 !!",
					  "hv1 \033 AAAA"};
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		ctx_clear_problem(c);
		assert_err(ssh_read_key(c, str_from(bad[k]), &key), INVALID);
	}
	file_remove_tree(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_lines),          ctx_test(test_outcome),   ctx_test(test_script_is_quoted),
		ctx_test(test_script_cut_off), ctx_test(test_addresses), ctx_test(test_known_hosts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
