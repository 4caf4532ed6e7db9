/* SPDX-License-Identifier: Apache-2.0
 * The region's authority for libvirt's TLS, in the data directory's folder `libvirt`. Whoever has dari's certificate is
 * root on every host, so the keys of both stay in files of the server's, and the authority signs nothing else: OVN's
 * certificates have another one. A host's key is made on the host; only its request comes here.
 *
 *   libvirt/ca.key, ca.pem     the authority
 *   libvirt/next.key, next.pem one that is to take its place, and signs nothing yet; or they are not there
 *   libvirt/old.pem            one whose place it took, and which is still trusted; or it is not there
 *   libvirt/client/            cacert.pem, clientcert.pem, clientkey.pem: what libvirt calls a pkipath
 *   libvirt/known_hosts        keys of hosts' ssh, written by the commands (daemon/ssh.h)
 *   libvirt/hosts/NAME.json    how the host is reached for renewal, until when its certificate is good, who made it, and whom
 *                              the host trusts (the latter two as digests)
 *
 * Any thread; one at a time works. Blocks. */
#pragma once

#include "daemon/daemon.h"

enum { AUTHORITY_LEAF_DAYS = 90, AUTHORITY_RENEW_DAYS = 30 };

/* Makes what is not there, and dari's certificate anew once two thirds of its time are over. */
RESULT authority_keep(struct ctx *c, const struct settings *s);
/* Looks after dari's certificate from now on. */
RESULT authority_start(struct daemon *d);
void authority_stop(struct daemon *d);

/* What libvirt calls dari: "CN=" and this. No host's name can be the same, for it has a space. */
struct str authority_client_name(struct arena *a, const struct settings *s);
const char *authority_path(struct arena *a, const struct settings *s, const char *name);
RESULT authority_read_certificate(struct ctx *c, const struct settings *s, struct str *ret_pem);
/* All that are to be trusted now, the older first. */
RESULT authority_read_trusted(struct ctx *c, const struct settings *s, struct str *ret_pem);

struct authority_request {
	struct str host, address;         /* its name and IP address, which its certificates are for */
	struct str libvirt, qemu;         /* PKCS #10, in base64 */
	struct str libvirt_pem, qemu_pem; /* result */
};
/* ERR_INVALID: a name, an address or a request is not good. */
RESULT authority_sign(struct ctx *c, const struct settings *s, struct authority_request *request);

struct authority_host {
	struct str name, ssh, address; /* in the context's arena */
	struct str installed, trusted; /* PEM: its certificate, and what it trusts; only to be noted */
	int64_t until_us;
	bool is_behind; /* result: it does not trust all that it is to, or an old authority made its certificate */
};
/* Writes down what is installed there now. */
RESULT authority_note_host(struct ctx *c, const struct settings *s, const struct authority_host *host);
RESULT authority_forget_host(struct ctx *c, const struct settings *s, struct str name);
/* ERR_NOT_FOUND: not one that `dari host add root@…` made. */
RESULT authority_find_host(struct ctx *c, const struct settings *s, struct str name,
			   struct authority_host *ret_host);
bool authority_is_due(const struct authority_host *host); /* for renewal */

/* ---- another authority in the place of this one, so that nobody is refused meanwhile: first each host learns to trust both,
 * then the new one signs, then each host has a certificate of it, and the old one is forgotten. A host learns something by
 * being renewed. */
enum authority_stage { AUTHORITY_STEADY, AUTHORITY_ANNOUNCED, AUTHORITY_CHANGED };
enum authority_stage authority_stage(struct ctx *c, const struct settings *s);
/* Begins. ERR_STATE: one is on its way already. */
RESULT authority_replace(struct ctx *c, const struct settings *s);
/* Goes on as far as the hosts are. hosts: the names of all; those that nothing is noted of do not count. *ret_waits_for: the
 * first that is behind, or empty. */
RESULT authority_go_on(struct ctx *c, const struct settings *s, struct strs hosts, struct str *ret_waits_for);
