/* SPDX-License-Identifier: Apache-2.0
 * The region's authority for libvirt's TLS, in the data directory's folder `libvirt`. Whoever has dari's certificate is
 * root on every host, so the keys of both stay in files of the server's, and the authority signs nothing else: OVN's
 * certificates have another one. A host's key is made on the host; only its request comes here.
 *
 *   libvirt/ca.key, ca.pem     the authority
 *   libvirt/client/            cacert.pem, clientcert.pem, clientkey.pem: what libvirt calls a pkipath
 *   libvirt/known_hosts        keys of hosts' ssh, written by the commands (daemon/ssh.h)
 *   libvirt/hosts/NAME.json    how the host is reached for renewal, and until when its certificate is good
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

struct authority_request {
	struct str host, address;         /* its name and IP address, which its certificates are for */
	struct str libvirt, qemu;         /* PKCS #10, in base64 */
	struct str libvirt_pem, qemu_pem; /* result */
};
/* ERR_INVALID: a name, an address or a request is not good. */
RESULT authority_sign(struct ctx *c, const struct settings *s, struct authority_request *request);

struct authority_host {
	struct str name, ssh, address; /* in the context's arena */
	int64_t until_us;
};
/* Writes down what is installed there now. */
RESULT authority_note_host(struct ctx *c, const struct settings *s, const struct authority_host *host);
RESULT authority_forget_host(struct ctx *c, const struct settings *s, struct str name);
/* ERR_NOT_FOUND: not one that `dari host add root@…` made. */
RESULT authority_find_host(struct ctx *c, const struct settings *s, struct str name,
			   struct authority_host *ret_host);
bool authority_is_due(const struct authority_host *host); /* for renewal */
