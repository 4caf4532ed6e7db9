/* SPDX-License-Identifier: Apache-2.0
 * The region's authority for libvirt's TLS, in the data directory's folder `libvirt`. Whoever has dari's
 * certificate is root on every host, so both keys stay in files of the server, and the authority signs
 * nothing else: OVN's certificates have a separate one. A host's key is generated on the host; only its
 * request is sent here.
 *
 *   libvirt/ca.key, ca.pem     the authority
 *   libvirt/next.key, next.pem its future replacement, which signs nothing yet; optional
 *   libvirt/old.pem            its predecessor, still trusted; optional
 *   libvirt/client/            cacert.pem, clientcert.pem, clientkey.pem: libvirt's pkipath
 *   libvirt/known_hosts        hosts' ssh keys, written by the commands (daemon/ssh.h)
 *   libvirt/hosts/NAME.json    the host's address for renewal, its certificate's expiry and issuer, and the
 *                              authorities that the host trusts (the latter two as digests)
 *
 * Any thread; calls are serialised. Blocks. */
#pragma once

#include "daemon/daemon.h"

enum { AUTHORITY_LEAF_DAYS = 90, AUTHORITY_RENEW_DAYS = 30 };

/* Creates missing files, and renews dari's certificate after two thirds of its validity. */
RESULT authority_keep(struct ctx *c, const struct settings *s);
/* Keeps renewing dari's certificate from now on. */
RESULT authority_start(struct daemon *d);
void authority_stop(struct daemon *d);

/* dari's name in libvirt: "CN=" and this. It contains a space, so it differs from every host name. */
struct str authority_client_name(struct arena *a, const struct settings *s);
const char *authority_path(struct arena *a, const struct settings *s, const char *name);
RESULT authority_read_certificate(struct ctx *c, const struct settings *s, struct str *ret_pem);
/* All currently trusted certificates, older first. */
RESULT authority_read_trusted(struct ctx *c, const struct settings *s, struct str *ret_pem);

struct authority_request {
	struct str host, address;         /* name and IP address for its certificates */
	struct str libvirt, qemu;         /* PKCS #10, in base64 */
	struct str libvirt_pem, qemu_pem; /* result */
};
/* ERR_INVALID: invalid name, address or request. */
RESULT authority_sign(struct ctx *c, const struct settings *s, struct authority_request *request);

struct authority_host {
	struct str name, ssh, address; /* in the context's arena */
	struct str installed, trusted; /* PEM: its certificate, and its trusted authorities; input of
				        * authority_note_host() */
	int64_t until_us;
	bool is_behind; /* result: it lacks a trusted authority, or has an old authority's certificate */
};
/* Records what is installed there. */
RESULT authority_note_host(struct ctx *c, const struct settings *s, const struct authority_host *host);
RESULT authority_forget_host(struct ctx *c, const struct settings *s, struct str name);
/* ERR_NOT_FOUND: not added by `dari host add root@…`. */
RESULT authority_find_host(struct ctx *c, const struct settings *s, struct str name,
			   struct authority_host *ret_host);
bool authority_is_due(const struct authority_host *host); /* due for renewal */

/* ---- replacing the authority without refusing anybody meanwhile: first each host learns to trust both, then the
 * new one signs, then each host gets a certificate from it, and the old one is dropped. Hosts are updated by
 * being renewed. */
enum authority_stage { AUTHORITY_STEADY, AUTHORITY_ANNOUNCED, AUTHORITY_CHANGED };
enum authority_stage authority_stage(struct ctx *c, const struct settings *s);
/* Begins a replacement. ERR_STATE: one is in progress. */
RESULT authority_replace(struct ctx *c, const struct settings *s);
/* Advances the replacement as far as the hosts allow. hosts: all names; hosts without records are ignored.
 * *ret_waits_for: the first host that is behind, or empty. */
RESULT authority_go_on(struct ctx *c, const struct settings *s, struct strs hosts, struct str *ret_waits_for);
