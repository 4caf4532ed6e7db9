/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/load_balancer/: shared by the resources of Octavia. Statuses, defaults and limits are those of
 * Octavia's API reference, v2. */
#pragma once

#include "api/openstack/network/network.h"
#include "engine/balancing/octavia.h"

enum {
	LB_PORT_MAX = 65535,
	LB_WEIGHT_MAX = 256,
	LB_RETRIES_MAX = 10,
	LB_SECONDS_MAX = 86400,
	LB_MILLISECONDS_MAX = 2073600000, /* 24 days */
	LB_CONNECTIONS_MAX = 1000000,
	LB_SOURCES_MAX = 100,
	LB_PATH_MAX = 1024,
};

#define LB_PROVIDERS "dari|amphora|octavia|ovn"
#define LB_LISTENER_PROTOCOLS "HTTP|HTTPS|PROMETHEUS|SCTP|TCP|TERMINATED_HTTPS|UDP"
#define LB_POOL_PROTOCOLS "HTTP|HTTPS|PROXY|PROXYV2|SCTP|TCP|UDP"
#define LB_ALGORITHMS "ROUND_ROBIN|LEAST_CONNECTIONS|SOURCE_IP|SOURCE_IP_PORT"
#define LB_PERSISTENCES "SOURCE_IP|HTTP_COOKIE|APP_COOKIE"
#define LB_MONITOR_TYPES "HTTP|HTTPS|PING|SCTP|TCP|TLS-HELLO|UDP-CONNECT"
#define LB_ACTIONS "REDIRECT_PREFIX|REDIRECT_TO_POOL|REDIRECT_TO_URL|REJECT"
#define LB_RULE_TYPES                                                                                        \
	"COOKIE|FILE_TYPE|HEADER|HOST_NAME|PATH|SSL_CONN_HAS_CERT|SSL_DN_FIELD|SSL_VERIFY_RESULT"
#define LB_COMPARISONS "CONTAINS|ENDS_WITH|EQUAL_TO|REGEX|STARTS_WITH"
#define LB_METHODS "CONNECT|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|TRACE"

/* ---- parameters ---- */

/* Rows of parts that a balancer or a listener may be created with. p: "wish.pool.", or nothing. */
#define LB_TEXT .max = OCTAVIA_TEXT_MAX
#define LB_TAGS(T, p) OS_BODY(T, "tags", p words, LB_TEXT, .doc = "Tags, each a word.")
#define LB_UP(T, p)                                                                                          \
	OS_BODY(T, "admin_state_up", p is_down, .flags = OPPOSITE | NULL_ABSENT, .doc = "False: it is off.")
#define LB_NAME(T, p)                                                                                        \
	OS_BODY(T, "name", p name, .flags = NULL_ABSENT, LB_TEXT, .doc = "Name; need not be unique.")
#define LB_DESCRIPTION(T, p)                                                                                 \
	OS_BODY(T, "description", p description, .flags = NULL_ABSENT, LB_TEXT, .doc = "Free text.")
#define LB_OWNER                                                                                             \
	PASSED_OVER("project_id|tenant_id",                                                                  \
		    "octavia/api/v2/controllers: the project of a part is its load balancer's")
#define LB_PORT(T, wire, member, ...) OS_BODY(T, wire, member, .min = 1, .max = LB_PORT_MAX, __VA_ARGS__)

#define LB_MEMBER_ROWS(T, p)                                                                                 \
	LB_NAME(T, p), LB_UP(T, p),                                                                          \
		OS_BODY(T, "address", p address, .flags = REQUIRED | ANY_FAMILY, .doc = "Address."),         \
		LB_PORT(T, "protocol_port", p number, .flags = REQUIRED, .doc = "Port."),                    \
		OS_BODY(T, "weight", p weight, .flags = NULLABLE, .min = 0, .max = LB_WEIGHT_MAX,            \
			.absent = "1", .doc = "Share of new connections; 0: none."),                         \
		OS_BODY(T, "backup", p is_backup, .flags = NULL_ABSENT,                                      \
			.doc = "Gets connections only while no other member is healthy."),                   \
		OS_BODY(T, "subnet_id", p subnet, .flags = NULL_ABSENT, .kind = KIND_SUBNET,                 \
			.doc = "Subnet that the address is in."),                                            \
		LB_PORT(T, "monitor_port", p check_number, .flags = NULL_ABSENT,                             \
			.doc = "Port of health checks, if another."),                                        \
		OS_BODY(T, "monitor_address", p check_ip, .flags = NULL_ABSENT | ANY_FAMILY,                 \
			.doc = "Address of health checks, if another."),                                     \
		LB_TAGS(T, p), LB_OWNER, OS_UNBUILT("request_sriov", .only = "false")

#define LB_SECONDS(T, wire, member, ...)                                                                     \
	OS_BODY(T, wire, member, .min = 0, .max = LB_SECONDS_MAX, __VA_ARGS__)
#define LB_RETRIES(T, wire, member, ...)                                                                     \
	OS_BODY(T, wire, member, .min = 1, .max = LB_RETRIES_MAX, __VA_ARGS__)
#define LB_MONITOR_ROWS(T, p)                                                                                \
	LB_NAME(T, p), LB_UP(T, p),                                                                          \
		OS_BODY(T, "type", p type, .flags = REQUIRED, .words = LB_MONITOR_TYPES,                     \
			.doc = "Type of a health check."),                                                   \
		LB_SECONDS(T, "delay", p delay, .flags = REQUIRED, .doc = "Seconds between two checks."),    \
		LB_SECONDS(T, "timeout", p timeout, .flags = REQUIRED,                                       \
			   .doc = "Seconds after which a check has failed."),                                \
		LB_RETRIES(T, "max_retries", p max_retries, .flags = REQUIRED,                               \
			   .doc = "Successes in a row that make a member healthy."),                         \
		LB_RETRIES(T, "max_retries_down", p max_retries_down, .flags = NULLABLE, .absent = "3",      \
			   .doc = "Failures in a row that make a member unhealthy."),                        \
		OS_BODY(T, "http_method", p method, .flags = NULL_ABSENT, .words = LB_METHODS,               \
			.doc = "Method of a check's request."),                                              \
		OS_BODY(T, "url_path", p path, .flags = NULL_ABSENT, .max = LB_PATH_MAX,                     \
			.doc = "Path of a check's request."),                                                \
		OS_BODY(T, "expected_codes", p codes, .flags = NULL_ABSENT, .max = 255,                      \
			.doc = "Statuses of a successful check: \"200\", \"200, 202\", \"200-204\"."),       \
		OS_BODY_JSON(T, "http_version", p version,                                                   \
			     .doc = "Version of HTTP of a check's request: 1.0 or 1.1."),                    \
		OS_BODY(T, "domain_name", p host, .flags = NULL_ABSENT, LB_TEXT,                             \
			.doc = "Host header of a check's request."),                                         \
		LB_TAGS(T, p), LB_OWNER

#define LB_TLS_OF_POOL                                                                                       \
	OS_UNBUILT("tls_container_ref|ca_tls_container_ref|crl_container_ref|tls_ciphers|tls_versions|"      \
		   "alpn_protocols")
#define LB_POOL_ROWS(T, p, flag)                                                                             \
	LB_NAME(T, p), LB_DESCRIPTION(T, p), LB_UP(T, p),                                                    \
		OS_BODY(T, "protocol", p protocol, .flags = flag, .words = LB_POOL_PROTOCOLS,                \
			.doc = "Protocol of the members."),                                                  \
		OS_BODY(T, "lb_algorithm", p algorithm, .flags = flag, .words = LB_ALGORITHMS,               \
			.doc = "Method that chooses a connection's member."),                                \
		OS_BODY_OBJECT(T, "session_persistence", p persistence, os_lb_persistence_params,            \
			       .flags = NULL_ABSENT, .doc = "Method that keeps a client with a member."),    \
		OS_BODY(T, "tls_enabled", p is_tls, .flags = NULL_ABSENT,                                    \
			.doc = "Connections to members are encrypted; their certificates are not checked."), \
		OS_BODY_LIST(T, "members", p members, os_lb_member_params, .flags = NULL_ABSENT,             \
			     .max = OCTAVIA_MEMBERS_MAX, .doc = "Members to begin with."),                   \
		OS_BODY_OBJECT(T, "healthmonitor", p monitor, os_lb_monitor_params, .flags = NULL_ABSENT,    \
			       .doc = "Health monitor to begin with."),                                      \
		LB_TAGS(T, p), LB_OWNER, LB_TLS_OF_POOL

#define LB_MILLISECONDS(T, wire, member, otherwise, ...)                                                     \
	OS_BODY(T, wire, member, .flags = NULLABLE, .min = 0, .max = LB_MILLISECONDS_MAX,                    \
		.absent = otherwise, __VA_ARGS__)
#define LB_TLS_OF_LISTENER                                                                                   \
	OS_UNBUILT("client_ca_tls_container_ref|client_crl_container_ref|tls_ciphers|hsts_max_age"),         \
		OS_UNBUILT("tls_versions|alpn_protocols", .only = "[]"),                                     \
		OS_UNBUILT("client_authentication", .only = "NONE"),                                         \
		OS_UNBUILT("hsts_include_subdomains|hsts_preload", .only = "false")
#define LB_LISTENER_ROWS(T, p)                                                                               \
	LB_NAME(T, p), LB_DESCRIPTION(T, p), LB_UP(T, p),                                                    \
		OS_BODY(T, "protocol", p protocol, .flags = REQUIRED, .words = LB_LISTENER_PROTOCOLS,        \
			.doc = "Protocol."),                                                                 \
		LB_PORT(T, "protocol_port", p port, .flags = REQUIRED, .doc = "Port."),                      \
		OS_BODY(T, "connection_limit", p connection_limit, .flags = NULLABLE, .min = -1,             \
			.max = LB_CONNECTIONS_MAX, .absent = "-1",                                           \
			.doc = "Most connections at a time; -1: no limit."),                                 \
		OS_BODY(T, "default_pool_id", p default_pool, .flags = NULL_ABSENT,                          \
			.kind = KIND_TARGET_GROUP, .doc = "Pool that it leads to."),                         \
		OS_BODY_OBJECT(T, "default_pool", p pool, os_lb_pool_params,                                 \
			       .given = offsetof(T, p has_pool) + 1, .flags = NULL_ABSENT,                   \
			       .doc = "Instead: a new pool, or in a new load balancer the name of one."),    \
		OS_BODY(T, "insert_headers", p given_headers, .flags = NULL_ABSENT,                          \
			.doc = "Headers that requests get: X-Forwarded-For, -Port and -Proto."),             \
		OS_BODY(T, "allowed_cidrs", p allowed, .flags = NULL_ABSENT, .max = CIDR_TEXT_SIZE,          \
			.doc = "Permitted clients; absent: any."),                                           \
		LB_MILLISECONDS(T, "timeout_client_data", p client_ms, "50000",                              \
				.doc = "Milliseconds for which a client may be silent."),                    \
		LB_MILLISECONDS(T, "timeout_member_connect", p connect_ms, "5000",                           \
				.doc = "Milliseconds for connecting to a member."),                          \
		LB_MILLISECONDS(T, "timeout_member_data", p member_ms, "50000",                              \
				.doc = "Milliseconds for which a member may be silent."),                    \
		LB_MILLISECONDS(T, "timeout_tcp_inspect", p inspect_ms, "0",                                 \
				.doc = "Milliseconds for looking at a connection's first bytes."),           \
		OS_BODY(T, "default_tls_container_ref", p tls_ref, .flags = NULL_ABSENT, LB_TEXT,            \
			.doc = "Container of Barbican with the certificate of a TERMINATED_HTTPS listener, " \
			       "or secret with a PKCS #12 file."),                                           \
		OS_BODY(T, "sni_container_refs", p sni_refs, .flags = NULL_ABSENT, LB_TEXT,                  \
			.doc = "Further certificates, chosen by the name that a client asks for."),          \
		OS_BODY_LIST(T, "l7policies", p policies, os_lb_policy_params, .flags = NULL_ABSENT,         \
			     .max = OCTAVIA_NESTED_MAX, .doc = "L7 policies to begin with."),                \
		LB_TAGS(T, p), LB_OWNER, LB_TLS_OF_LISTENER

extern const struct params os_lb_persistence_params, os_lb_member_params, os_lb_members_params,
	os_lb_monitor_params, os_lb_pool_params, os_lb_listener_params, os_lb_rule_params,
	os_lb_policy_params;

/* Finds a row of Octavia. ERR_NOT_FOUND: it is another API's, too. */
RESULT os_lb_find(struct os_call *e, enum kind kind, const struct ref *ref, const struct row **ret_row);

/* Turn words into what the engine takes, in all parts. ERR_INVALID. */
RESULT os_lb_prepare_member(struct os_call *e, struct octavia_member *member);
RESULT os_lb_prepare_members(struct os_call *e, struct octavia_members *members);
RESULT os_lb_prepare_monitor(struct os_call *e, struct octavia_monitor *monitor);
/* From JSON, a number or null; empty: the default. */
RESULT os_lb_read_version(struct os_call *e, struct str *version);
RESULT os_lb_prepare_pool(struct os_call *e, struct octavia_pool *pool);
RESULT os_lb_prepare_rule(struct os_call *e, struct octavia_l7_rule *rule);
RESULT os_lb_prepare_policy(struct os_call *e, struct octavia_l7_policy_wish *policy);
RESULT os_lb_prepare_listener(struct os_call *e, struct octavia_listener *listener);
RESULT os_lb_read_sources(struct os_call *e, struct strs texts, struct cidrs *ret_cidrs);
RESULT os_lb_read_headers(struct os_call *e, struct tags given, struct strs *ret_headers);
/* Reads the certificates that references to Barbican name, and opens their secrets. ERR_INVALID: one can't be read. */
RESULT os_lb_read_certificates(struct os_call *e, struct str default_ref, const struct strs *sni_refs,
			       struct octavia_certificates *ret_certificates);
/* Parses and checks them, and seals their keys. Takes milliseconds: for an action's work. */
RESULT os_lb_check_certificates(struct os_call *e, struct octavia_certificates *certificates);
/* Tags of an update. NULL: not given. */
RESULT os_lb_read_words(struct os_call *e, const struct strs *words, struct tags *ret_tags);

/* ---- members of answers ---- */

/* Octavia filters and sorts by every plain member. */
#define LB_STANDARD_ROWS(T) LB_STANDARD_ROWS_AT(T, row.updated_us)
/* updated: the field with the time of the last change. */
#define LB_STANDARD_ROWS_AT(T, updated)                                                                      \
	ATTRIBUTE_AS(HEX, T, "project_id", account, .filter = "project_id", .sort = "project_id"),           \
		ATTRIBUTE_AS(HEX, T, "tenant_id", account, .filter = "tenant_id"),                           \
		ATTRIBUTE_AS(TIME_FINE, T, "created_at", row.created_us),                                    \
		ATTRIBUTE_AS(TIME_FINE, T, "updated_at", updated),                                           \
		ATTRIBUTE_MADE(TEXTS, texts, "tags", os_list_words)
#define LB_STATUS_ROWS(provisioning, operating)                                                              \
	OS_MADE(WORD, word, "provisioning_status", provisioning),                                            \
		OS_MADE(WORD, word, "operating_status", operating)

extern const struct attributes os_lb_id_members;
extern const struct os_listing os_lb_balancers, os_lb_listeners, os_lb_pools, os_lb_members, os_lb_monitors,
	os_lb_policies, os_lb_rules;
