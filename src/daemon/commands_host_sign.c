/* SPDX-License-Identifier: Apache-2.0
 * dari host authority, dari host sign: the server's part of adding a host. The server has the authority's
 * key, the operator has ssh access: so the operator's command talks to the machine, and requests signatures
 * here. */
#include "base/clock.h"
#include "base/crypto_issue.h"
#include "daemon/authority.h"
#include "daemon/command.h"
#include "store/host.h"

static void list_host(struct command_call *call, json_t *list, struct str name)
{
	struct authority_host host = {0};
	if (!result_is_ok(authority_find_host(&call->ctx, &call->daemon->settings, name, &host))) {
		ctx_clear_problem(&call->ctx);
		return;
	}
	char text[CLOCK_TEXT_SIZE];
	struct str until = str_from(clock_write_s(host.until_us, text));
	buf_print(&call->text, "%-16.*s %-24.*s until %" STR_FMT "%s%s\n", STR_ARG(name), STR_ARG(host.ssh),
		  STR_ARG(until), host.is_behind ? ", of before the authority's replacement" : "",
		  authority_is_due(&host) ? ", to be renewed: dari host renew" : "");
	(void) json_array_append_new(
		list, json_pack("{s:s%, s:s%, s:s%, s:s%, s:b}", "name", name.p, name.n, "ssh", host.ssh.p,
				host.ssh.n, "address", host.address.p ? host.address.p : "", host.address.n,
				"until", until.p, until.n, "due", (int) authority_is_due(&host)));
}

/* All hosts' names, plus `more`, whose row may not exist yet; empty: none. */
static RESULT list_names(struct command_call *call, struct str more, struct strs *ret_names)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	size_t count = 0;
	struct str *names =
		arena_new_array(call->ctx.arena, struct str, tables_count(view.tables, KIND_HOST) + 1);
	if (!names)
		return ctx_no_memory(&call->ctx);
	for (const struct host *h = host_first(view.tables); h; h = host_next(view.tables, h))
		if (!str_equal(h->name, more))
			names[count++] = str_copy(call->ctx.arena, h->name);
	if (more.n)
		names[count++] = more;
	*ret_names = (struct strs){names, count};
	return OK;
}

/* Reports a replacement's progress and advances it as far as the hosts allow. */
static RESULT go_on(struct command_call *call, struct strs names)
{
	static const char *const words[] = {
		[AUTHORITY_ANNOUNCED] =
			"It is being replaced: each host is to trust the next one, too, before that "
			"signs. %" STR_FMT " does not yet: dari host renew --all\n",
		[AUTHORITY_CHANGED] = "It has replaced another one, which is trusted still: %" STR_FMT
				      " has a certificate of that: dari host renew --all\n"};
	const struct settings *s = &call->daemon->settings;
	struct str waits_for = STR_NONE;
	TRY(authority_go_on(&call->ctx, s, names, &waits_for));
	enum authority_stage stage = authority_stage(&call->ctx, s);
	if (stage != AUTHORITY_STEADY)
		buf_print(&call->text, words[stage], STR_ARG(waits_for));
	return OK;
}

/* Accepts a host whose row is gone too, so that the rest can be undone. */
static RESULT host_authority(struct command_call *call)
{
	const struct settings *s = &call->daemon->settings;
	struct arena *a = call->ctx.arena;
	struct str trusted = STR_NONE, name = command_arg(call, "name");
	struct strs names = {0};
	TRY(authority_keep(&call->ctx, s));
	buf_print(&call->text, "%s\n", authority_path(a, s, "ca.pem"));
	TRY(list_names(call, STR_NONE, &names));
	TRY(go_on(call, names));
	TRY(authority_read_trusted(&call->ctx, s, &trusted));
	json_t *list = json_array();
	const char *directory = authority_path(a, s, "client");
	call->value = json_pack("{s:s%, s:s, s:o}", "trusted", trusted.p, trusted.n, "directory", directory,
				"hosts", list);
	if (name.n)
		list_host(call, list, name);
	for (size_t k = 0; k < names.count && !name.n; k++)
		list_host(call, list, names.at[k]);
	return OK;
}

static RESULT host_replace_authority(struct command_call *call)
{
	TRY(authority_replace(&call->ctx, &call->daemon->settings));
	return host_authority(call);
}

static RESULT decode(struct command_call *call, const char *name, struct str *ret_pem)
{
	if (result_is_ok(str_decode_base64(call->ctx.arena, command_arg(call, name), ret_pem)))
		return OK;
	return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(name), "--%s is PEM in base64", name);
}

static RESULT note_installed(struct command_call *call)
{
	struct ctx *c = &call->ctx;
	struct authority_host host = {.name = command_arg(call, "name"),
				      .ssh = command_arg(call, "ssh"),
				      .address = command_arg(call, "address")};
	struct strs names = {0};
	int64_t from_us = 0;
	TRY(decode(call, "installed", &host.installed));
	TRY(decode(call, "trusted", &host.trusted));
	TRY(crypto_read_validity(c, host.installed, &from_us, &host.until_us));
	TRY(authority_note_host(c, &call->daemon->settings, &host));
	buf_print(&call->text, "noted\n");
	TRY(list_names(call, host.name, &names));
	return go_on(call, names);
}

static RESULT host_sign(struct command_call *call)
{
	struct authority_request request = {.host = command_arg(call, "name"),
					    .address = command_arg(call, "address"),
					    .libvirt = command_arg(call, "libvirt"),
					    .qemu = command_arg(call, "qemu")};
	if (json_is_true(json_object_get(call->args, "forget")))
		return authority_forget_host(&call->ctx, &call->daemon->settings, request.host);
	if (command_arg(call, "installed").n)
		return note_installed(call);
	TRY(authority_sign(&call->ctx, &call->daemon->settings, &request));
	buf_add_str(&call->text, request.libvirt_pem);
	buf_add_str(&call->text, request.qemu_pem);
	call->value = json_pack("{s:s%, s:s%}", "libvirt", request.libvirt_pem.p, request.libvirt_pem.n,
				"qemu", request.qemu_pem.p, request.qemu_pem.n);
	return OK;
}

const struct command host_sign_commands[] = {
	{"host authority",
	 "Creates the region's certificate authority for libvirt unless it exists; shows where it is and "
	 "when certificates expire.",
	 {{"name", PARAM_POSITIONAL, false, "The host (default: all)."}},
	 .run = host_authority},
	{"host replace-authority",
	 "Replaces the certificate authority for libvirt; dari host renew --all continues. All hosts stay "
	 "connected.",
	 {{0}},
	 .run = host_replace_authority},
	{"host sign",
	 "Signs a host's keys for libvirt and QEMU. Used by dari host add root@… and dari host renew.",
	 {{"name", PARAM_POSITIONAL, true, "The host's name."},
	  {"address", PARAM_OPTION, false, "IP address of the host."},
	  {"libvirt", PARAM_OPTION, false, "Request for libvirtd's key: PKCS #10, base64."},
	  {"qemu", PARAM_OPTION, false, "Request for QEMU's key, used by live migration: PKCS #10, base64."},
	  {"installed", PARAM_OPTION, false,
	   "Records the present certificate of libvirtd instead, PEM in base64, for `dari doctor`."},
	  {"trusted", PARAM_OPTION, false,
	   "With --installed: CA certificates that libvirtd trusts, PEM in base64."},
	  {"ssh", PARAM_OPTION, false, "With --installed: ssh destination for renewals."},
	  {"forget", PARAM_FLAG, false,
	   "Records instead that the host has none of our certificates any more."}},
	 .run = host_sign},
	{0},
};
