/* SPDX-License-Identifier: Apache-2.0
 * Runs ssh. Options are those of ssh_config(5); the key file has the format of sshd(8), SSH_KNOWN_HOSTS. */
#include "daemon/ssh.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"

enum { OUTPUT_CAP = 2 * 1024 * 1024, KNOWN_HOSTS_CAP = 1024 * 1024, ARGS_MAX = 40, KEY_TIMEOUT_S = 30 };

bool ssh_has_only(struct str text, const char *others)
{
	for (size_t k = 0; k < text.n; k++)
		if (!str_is_alphanumeric(text.p[k]) && !strchr(others, text.p[k]))
			return false;
	return text.n > 0;
}

RESULT ssh_check_address(struct ctx *c, struct str address)
{
	if (ssh_has_only(address, "@.:_-[]%") && address.p[0] != '-')
		return OK;
	return ctx_fail(c, ERR_INVALID, "a host is root@ADDRESS, not \"%" STR_FMT "\"", STR_ARG(address));
}

struct str ssh_quote(struct arena *a, struct str text)
{
	struct buf b;
	buf_init(&b, BUF_ANSWER_CAP);
	buf_print(&b, "'");
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] == '\'')
			buf_print(&b, "'\\''");
		else
			buf_add(&b, &text.p[k], 1);
	buf_print(&b, "'");
	struct str quoted = b.failed ? STR_NONE : str_copy(a, buf_str(&b));
	buf_done(&b);
	return quoted;
}

struct str ssh_make_plain(struct arena *a, struct str text)
{
	char *plain = arena_alloc(a, text.n + 1);
	if (!plain)
		return STR_NONE;
	for (size_t k = 0; k < text.n; k++)
		plain[k] = (unsigned char) text.p[k] < ' ' || text.p[k] == 0x7f ? '?' : text.p[k];
	plain[text.n] = '\0';
	return (struct str){plain, text.n};
}

/* ---- the command line */

struct line {
	struct arena *arena;
	const char *argv[ARGS_MAX];
	size_t count;
	bool failed;
};

static void add(struct line *l, struct str text)
{
	const char *z = text.p ? str_to_z(l->arena, text) : "";
	l->failed = l->failed || !*z || l->count + 1 >= ARGS_MAX;
	if (!l->failed)
		l->argv[l->count++] = z;
}

static void add_option(struct line *l, const char *name, const char *value)
{
	add(l, STR("-o"));
	add(l, str_print(l->arena, "%s=%s", name, value));
}

/* The host's name in the key file: the part after the user. */
static struct str name_of(const struct ssh *ssh)
{
	struct str rest = ssh->address, name = STR_NONE;
	while (str_split_next(&rest, '@', &name))
		continue;
	return name;
}

static void add_trust(struct line *l, const struct ssh *ssh, const char *file, const char *check)
{
	add_option(l, "StrictHostKeyChecking", check);
	add_option(l, "UserKnownHostsFile", str_print(l->arena, "\"%s\"", file).p);
	add_option(l, "GlobalKnownHostsFile", "/dev/null");
	add_option(l, "HostKeyAlias", str_to_z(l->arena, name_of(ssh)));
	add_option(l, "HashKnownHosts", "no");
	add_option(l, "UpdateHostKeys", "no");
	add_option(l, "CheckHostIP", "no");
	add_option(l, "VerifyHostKeyDNS", "no");
}

static void begin_line(struct line *l, struct ctx *c)
{
	*l = (struct line){.arena = c->arena};
	add(l, STR("ssh"));
	add_option(l, "BatchMode", "yes");
	add_option(l, "ConnectTimeout", "15");
	add_option(l, "ControlMaster", "no");
}

static RESULT run_line(struct ctx *c, struct line *l, struct child *child, struct child_end *ret_end)
{
	if (l->failed)
		return ctx_no_memory(c);
	l->argv[l->count] = NULL;
	child->argv = l->argv;
	child->output_cap_size = OUTPUT_CAP;
	return child_run(c, child, ret_end);
}

RESULT ssh_run(struct ctx *c, const struct ssh *ssh, struct str script, int64_t timeout_us,
	       struct child_end *ret_end)
{
	struct line l;
	struct child child = {.input = script, .timeout_us = timeout_us};
	begin_line(&l, c);
	if (ssh->known_hosts) {
		add_option(&l, "ControlPath",
			   "none"); /* a shared connection was opened with other trusted keys */
		add_option(&l, "ServerAliveInterval", "15");
		add_option(&l, "ForwardAgent", "no");
		add_option(&l, "ClearAllForwardings", "yes");
		add_trust(&l, ssh, ssh->known_hosts, "yes");
	}
	add(&l, STR("--"));
	add(&l, ssh->address);
	add(&l, STR("sh"));
	add(&l, STR("-s"));
	return run_line(c, &l, &child, ret_end);
}

/* ---- keys of hosts */

RESULT ssh_read_key(struct ctx *c, struct str line, struct ssh_host_key *ret_key)
{
	struct str rest = str_trim(line), name = STR_NONE, type = STR_NONE, key = STR_NONE, bytes = STR_NONE;
	(void) str_split_next(&rest, ' ', &name);
	(void) str_split_next(&rest, ' ', &type);
	(void) str_split_next(&rest, ' ', &key);
	if (!ssh_has_only(type, "-@.") || !ssh_has_only(key, "+/=") ||
	    !result_is_ok(str_decode_base64(c->arena, key, &bytes)))
		return ctx_fail(c, ERR_INVALID, "the text is no line of known hosts");
	uint8_t sum[SHA256_SIZE];
	crypto_sha256(bytes, sum);
	struct str text = str_encode_base64(c->arena, (struct str){(const char *) sum, sizeof sum});
	*ret_key = (struct ssh_host_key){
		.line = str_print(c->arena, "%" STR_FMT " %" STR_FMT " %" STR_FMT, STR_ARG(name),
				  STR_ARG(type), STR_ARG(key)),
		.type = type,
		.fingerprint = str_print(c->arena, "SHA256:%" STR_FMT, /* without padding, like ssh */
					 STR_ARG(str_slice(text, 0, str_find_char(text, '=', 0)))),
	};
	return ret_key->line.p && ret_key->fingerprint.p ? OK : ctx_no_memory(c);
}

static bool is_line_of(const struct ssh *ssh, struct str line)
{
	struct str name = STR_NONE;
	return str_split_next(&line, ' ', &name) && str_equal(name, name_of(ssh));
}

static RESULT read_known(struct ctx *c, const struct ssh *ssh, struct str *ret_text)
{
	*ret_text = STR_NONE;
	return file_exists(ssh->known_hosts) ? file_read(c, ssh->known_hosts, KNOWN_HOSTS_CAP, ret_text) : OK;
}

RESULT ssh_find_key(struct ctx *c, const struct ssh *ssh, struct ssh_host_key *ret_key)
{
	struct str rest = STR_NONE, line = STR_NONE;
	TRY(read_known(c, ssh, &rest));
	while (str_split_next(&rest, '\n', &line))
		if (is_line_of(ssh, line))
			return ssh_read_key(c, line, ret_key);
	return FAIL(NOT_FOUND);
}

RESULT ssh_trust_key(struct ctx *c, const struct ssh *ssh, const struct ssh_host_key *key)
{
	struct str rest = STR_NONE, line = STR_NONE, text = STR_NONE;
	TRY(read_known(c, ssh, &rest));
	while (str_split_next(&rest, '\n', &line))
		if (line.n && !is_line_of(ssh, line))
			text = str_print(c->arena, "%" STR_FMT "%" STR_FMT "\n", STR_ARG(text),
					 STR_ARG(line));
	text = str_print(c->arena, "%" STR_FMT "%" STR_FMT "\n", STR_ARG(text), STR_ARG(key->line));
	return text.p ? file_write_synced(c, ssh->known_hosts, text, 0600) : ctx_no_memory(c);
}

static RESULT ask_key(struct ctx *c, const struct ssh *ssh, const char *file, struct ssh_host_key *ret_key)
{
	struct line l;
	struct child child = {.timeout_us = KEY_TIMEOUT_S * SECOND};
	struct child_end end = {0};
	struct str text = STR_NONE;
	begin_line(&l, c);
	add_option(&l, "ControlPath", "none");
	add_option(&l, "PreferredAuthentications", "none");
	add_option(&l, "PubkeyAuthentication", "no");
	add_trust(&l, ssh, file, "accept-new"); /* into a file that is discarded */
	add(&l, STR("--"));
	add(&l, ssh->address);
	add(&l, STR("true"));
	TRY(run_line(c, &l, &child, &end));
	if (!file_exists(file))
		return ctx_fail(c, ERR_IO, "%" STR_FMT " shows no key (ssh ended with %d): %" STR_FMT,
				STR_ARG(ssh->address), end.status,
				STR_ARG(ssh_make_plain(c->arena, str_trim(end.err))));
	TRY(file_read(c, file, KNOWN_HOSTS_CAP, &text));
	return ssh_read_key(c, text, ret_key);
}

RESULT ssh_learn_key(struct ctx *c, const struct ssh *ssh, struct ssh_host_key *ret_key)
{
	char folder[] = "/tmp/dari-host-key-XXXXXX";
	if (!mkdtemp(folder))
		return ctx_fail(c, ERR_IO, "cannot make a directory in /tmp");
	struct result result = ask_key(c, ssh, str_print(c->arena, "%s/known_hosts", folder).p, ret_key);
	file_remove_tree(folder);
	return result;
}
