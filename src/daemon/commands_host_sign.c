/* SPDX-License-Identifier: Apache-2.0
 * dari host authority, dari host sign: the server's part of making a machine a host. The authority's key is the server's,
 * and ssh is the operator's: so the command that the operator typed talks to the machine, and asks here for signatures. */
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
	buf_print(&call->text, "%-16.*s %-24.*s until %" STR_FMT "%s\n", STR_ARG(name), STR_ARG(host.ssh),
		  STR_ARG(until), authority_is_due(&host) ? ", to be renewed: dari host renew" : "");
	(void) json_array_append_new(
		list, json_pack("{s:s%, s:s%, s:s%, s:s%, s:b}", "name", name.p, name.n, "ssh", host.ssh.p,
				host.ssh.n, "address", host.address.p ? host.address.p : "", host.address.n,
				"until", until.p, until.n, "due", (int) authority_is_due(&host)));
}

/* One name: of a host whose row is gone, too, for what is left to be undone. */
static RESULT host_authority(struct command_call *call)
{
	const struct settings *s = &call->daemon->settings;
	struct arena *a = call->ctx.arena;
	struct str pem = STR_NONE, name = command_arg(call, "name");
	TRY(authority_keep(&call->ctx, s));
	TRY(authority_read_certificate(&call->ctx, s, &pem));
	json_t *list = json_array();
	const char *directory = authority_path(a, s, "client");
	call->value = json_pack("{s:s%, s:s, s:o}", "certificate", pem.p, pem.n, "directory", directory,
				"hosts", list);
	buf_print(&call->text, "%s\n", authority_path(a, s, "ca.pem"));
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	if (name.n)
		list_host(call, list, name);
	for (const struct host *h = host_first(view.tables); h && !name.n; h = host_next(view.tables, h))
		list_host(call, list, h->name);
	return OK;
}

static RESULT note_installed(struct command_call *call, struct str encoded)
{
	struct ctx *c = &call->ctx;
	struct authority_host host = {.name = command_arg(call, "name"),
				      .ssh = command_arg(call, "ssh"),
				      .address = command_arg(call, "address")};
	struct str pem = STR_NONE;
	int64_t from_us = 0;
	if (!result_is_ok(str_decode_base64(c->arena, encoded, &pem)))
		return ctx_fail_field(c, ERR_INVALID, STR("installed"), "--installed is PEM in base64");
	TRY(crypto_read_validity(c, pem, &from_us, &host.until_us));
	TRY(authority_note_host(c, &call->daemon->settings, &host));
	buf_print(&call->text, "noted\n");
	return OK;
}

static RESULT host_sign(struct command_call *call)
{
	struct str installed = command_arg(call, "installed");
	struct authority_request request = {.host = command_arg(call, "name"),
					    .address = command_arg(call, "address"),
					    .libvirt = command_arg(call, "libvirt"),
					    .qemu = command_arg(call, "qemu")};
	if (json_is_true(json_object_get(call->args, "forget")))
		return authority_forget_host(&call->ctx, &call->daemon->settings, request.host);
	if (installed.n)
		return note_installed(call, installed);
	TRY(authority_sign(&call->ctx, &call->daemon->settings, &request));
	buf_add_str(&call->text, request.libvirt_pem);
	buf_add_str(&call->text, request.qemu_pem);
	call->value = json_pack("{s:s%, s:s%}", "libvirt", request.libvirt_pem.p, request.libvirt_pem.n,
				"qemu", request.qemu_pem.p, request.qemu_pem.n);
	return OK;
}

const struct command host_sign_commands[] = {
	{"host authority",
	 "Makes the region's authority for libvirt's TLS, unless it is there; says where, and until when the "
	 "certificates of hosts are good.",
	 {{"name", PARAM_POSITIONAL, false, "One host; absent: all."}},
	 .run = host_authority},
	{"host sign",
	 "Signs the keys of a host for libvirt and QEMU; dari host add root@… and dari host renew ask for "
	 "it.",
	 {{"name", PARAM_POSITIONAL, true, "The host's name."},
	  {"address", PARAM_OPTION, false, "Its IP address."},
	  {"libvirt", PARAM_OPTION, false, "Request for libvirtd's key: PKCS #10, base64."},
	  {"qemu", PARAM_OPTION, false, "Likewise for QEMU's, which sends and takes guests that move."},
	  {"installed", PARAM_OPTION, false,
	   "Instead: the certificate that libvirtd has there now, PEM in base64, for dari doctor."},
	  {"ssh", PARAM_OPTION, false, "With --installed: how it is reached to renew it."},
	  {"forget", PARAM_FLAG, false, "Instead: nothing of ours is there any more."}},
	 .run = host_sign},
	{0},
};
