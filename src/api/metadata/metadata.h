/* SPDX-License-Identifier: Apache-2.0
 * Services for guests inside their VPC: the instance metadata service (IMDSv2 and v1) on 169.254.169.254 port 80, CloudStack's
 * password server there on port 8080, Azure's WireServer on 168.63.129.16, and a DNS responder on 169.254.169.253 port 53, for every
 * router with ports. Each router has a network namespace of ours (drivers/plug.h), so the socket identifies the router of a request.
 * The source address identifies the instance; it can be trusted because of the network's anti-spoofing. No instance can therefore
 * read another instance's data.
 *
 * The service follows the store: a router gets its place with its first port, and loses the place with its last port. Sources: EC2 User Guide, "Instance metadata"; RFC 1035, RFC 6891, RFC 7766. */
#pragma once

#include "base/exec.h"
#include "drivers/compute.h"
#include "drivers/plug.h"
#include "http/server.h"
#include "store/store.h"

struct bearers;
struct metadata;
struct sigv4;

/* The region's API, for VPC endpoints. */
struct metadata_api {
	const struct http_face *face; /* NULL: endpoints do not answer */
	void *self;
	RESULT (*read_certificate)(void *self, struct ctx *c, struct http_where *where);
	struct ip ip;  /* the API's own address; none: there are no gateway endpoints */
	uint16_t port; /* the API's own port */
};

struct connect_keys;

struct metadata_config {
	struct metadata_api api;
	struct executor *executor;
	struct store *store;
	struct http_server *http;
	struct plugs *plugs;   /* NULL: nothing is plugged (dari dev, tests) */
	struct strs upstreams; /* resolvers for names outside: "198.51.100.53", also with ":port" */
	struct str region_name;
	struct sigv4 *sigv4;     /* accepts the credentials that guests get; NULL: guests get none */
	struct bearers *bearers; /* signs tokens of managed identities, among others; NULL: none are issued */
	struct connect_keys *connect_keys; /* keys of EC2 Instance Connect; NULL: none */
	const uint8_t *
		master_key; /* MASTER_KEY_SIZE bytes, to decrypt guests' passwords; NULL: passwords are not served */
	uint8_t token_key[32]; /* the key that IMDSv2 tokens are made with */
};

/* Copies config; the objects that it points at must outlive the service. ERR_INVALID: an upstream is no address. */
RESULT metadata_new(struct ctx *c, const struct metadata_config *config, struct metadata **ret_metadata);
void metadata_start(
	struct metadata *m); /* serves every router that has ports; call it after the store is open */
void metadata_free(struct metadata *m); /* call it before http and plugs are freed */

struct metadata_figures {
	uint64_t dns_queries;   /* from known sources, since the start */
	uint64_t dns_answered;  /* from our own data */
	uint64_t dns_forwarded; /* to the upstreams */
	uint64_t dns_failed;    /* SERVFAIL: no upstream answered, or too many queries were waiting */
	uint64_t dns_malformed; /* could not be parsed */
	uint64_t dns_strangers; /* dropped: not from a port of the router */
};
/* The certificate of the API has changed. Any thread. */
void metadata_renew(struct metadata *m);
/* Notes the endpoint of a call that came through a VPC endpoint, for its policy, and gives the call a peer address in fd00::/8,
 * which contains the VPC's and the guest's. For the API's begin(). */
void metadata_note_endpoint(struct call *call);
/* Any thread. */
void metadata_read_figures(struct metadata *m, struct metadata_figures *ret_figures);

/* Gives the files of an instance's config drive, as Nova lays them out: what the service answers
 * below /openstack, and the password that the guest shall set; or those of Azure's provisioning disc. That password is sealed under the
 * master key (MASTER_KEY_SIZE bytes). view is read, and no longer walks afterwards. ERR_NOT_FOUND:
 * there is no such instance. */
RESULT metadata_write_drive(const uint8_t *master_key, struct ctx *c, struct view *view, uuid instance,
			    struct compute_files *ret_files);

/* The face for its listeners, whose tag is the router's place. Tests call it directly. */
extern const struct http_face metadata_http_face;
/* The WireServer and the HostGAPlugin of Azure, on 168.63.129.16 ports 80 and 32526, for guests of that personality. */
extern const struct http_face metadata_wire_http_face;
/* Both for a simulated region, where no guest asks: "/i-0123456789abcdef0/latest/meta-data/",
 * "/i-0123456789abcdef0/wire/machine/?comp=goalstate".
 * It believes the id in the path, so it must only listen on loopback, and for nothing that is
 * real. */
extern const struct http_face metadata_named_http_face;
