/* SPDX-License-Identifier: Apache-2.0
 * Decides whether an address may be connected to, from the configuration, this machine's interfaces, and the
 * addresses of hosts and databases; and applies that decision in curl. */
#include "drivers/egress_policy.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/vec.h"
#include "drivers/special_ranges.h"

enum { NAMES_MAX = 4096, NAME_IPS_MAX = 8 };

#define NAME_KEPT_US (5 * MINUTE)
#define RESOLVING_US (5 * SECOND)

/* Name of a host or database, with its cached addresses. */
struct known_name {
	char *name; /* owned */
	int64_t asked_us;
	struct ip ips[NAME_IPS_MAX];
	size_t count;
};

struct blocks {
	struct cidr *at; /* owned */
	size_t count;
};

struct egress_policy {
	struct blocks not_from, also_from;
	bool (*list_remotes)(void *arg, struct arena *a, struct strs *ret_remotes);
	void *arg;
	pthread_mutex_t lock; /* guards the following */
	struct known_name *names;
	size_t name_count;
};

/* ---- life ---- */

RESULT egress_policy_parse_block(struct str text, struct cidr *ret_block)
{
	struct cidr block = {0};
	if (!result_is_ok(cidr_parse(text, &block))) {
		TRY(ip_parse(text, &block.base));
		block.bits = block.base.family == IP_V6 ? 128 : 32;
	}
	if (!cidr_is_canonical(block))
		return FAIL(INVALID);
	*ret_block = block;
	return OK;
}

static RESULT parse_blocks(struct ctx *c, const char *key, struct strs texts, struct blocks *ret_blocks)
{
	ret_blocks->at = heap_alloc_array(texts.count + 1, sizeof *ret_blocks->at);
	if (!ret_blocks->at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < texts.count; k++)
		if (!result_is_ok(
			    egress_policy_parse_block(texts.at[k], &ret_blocks->at[ret_blocks->count++])))
			return ctx_fail(c, ERR_INVALID,
					"%s: \"%" STR_FMT
					"\" is neither an address nor a block such as 10.0.0.0/8",
					key, STR_ARG(texts.at[k]));
	return OK;
}

RESULT egress_policy_new(struct ctx *c, const struct egress_policy_config *config,
			 struct egress_policy **ret_reach)
{
	AUTO(egress_policy) r = heap_new(struct egress_policy);
	if (!r)
		return ctx_no_memory(c);
	(void) pthread_mutex_init(&r->lock, NULL);
	r->list_remotes = config->list_remotes;
	r->arg = config->arg;
	r->names = heap_alloc_array(NAMES_MAX, sizeof *r->names);
	if (!r->names)
		return ctx_no_memory(c);
	TRY(parse_blocks(c, "images.fetch_not_from", config->not_from, &r->not_from));
	TRY(parse_blocks(c, "images.fetch_also_from", config->also_from, &r->also_from));
	*ret_reach = TAKE(r);
	return OK;
}

void egress_policy_free(struct egress_policy *r)
{
	if (!r)
		return;
	for (size_t k = 0; k < r->name_count; k++)
		heap_free(r->names[k].name);
	heap_free(r->names);
	heap_free(r->not_from.at);
	heap_free(r->also_from.at);
	(void) pthread_mutex_destroy(&r->lock);
	heap_free(r);
}

/* ---- the decision ---- */

static bool is_named(const struct blocks *b, struct ip ip)
{
	for (size_t k = 0; k < b->count; k++)
		if (ip_equal(b->at[k].base, ip) && cidr_count(b->at[k]) == 1)
			return true;
	return false;
}

static bool is_in(const struct blocks *b, struct ip ip)
{
	for (size_t k = 0; k < b->count; k++)
		if (cidr_contains(b->at[k], ip))
			return true;
	return false;
}

static bool is_ours(const struct web_refused *refused, struct ip ip)
{
	for (size_t k = 0; k < refused->own_count; k++)
		if (special_range_is_of(ip, refused->own[k]))
			return true;
	for (size_t k = 0; k < refused->managed.count; k++)
		if (ip_equal(ip, refused->managed.at[k]))
			return true;
	return false;
}

static bool is_allowed(const struct egress_policy *r, const struct web_refused *refused, struct ip ip)
{
	static const struct blocks none;
	const struct blocks *also = r ? &r->also_from : &none, *not = r ? &r->not_from : &none;
	if (is_named(also, ip))
		return true;
	if (special_range_has(ip) || is_ours(refused, ip))
		return false;
	return is_in(also, ip) || !is_in(not, ip);
}

bool egress_policy_allows(const struct egress_policy *r, const struct web_refused *refused, struct ip ip)
{
	struct ip inner = special_range_inner(ip);
	return is_allowed(r, refused, ip) && (ip_equal(inner, ip) || is_allowed(r, refused, inner));
}

/* ---- this machine's addresses ---- */

static struct ip ip_of(const struct sockaddr *a)
{
	struct ip ip = {0};
	if (a && a->sa_family == AF_INET)
		return ip_from_v4(ntohl(((const struct sockaddr_in *) (const void *) a)->sin_addr.s_addr));
	if (a && a->sa_family == AF_INET6) {
		memcpy(ip.b, &((const struct sockaddr_in6 *) (const void *) a)->sin6_addr, sizeof ip.b);
		ip.family = IP_V6;
	}
	return ip;
}

static uint8_t bits_of(struct ip mask)
{
	uint8_t bits = 0;
	while (bits < 128 && (mask.b[bits / 8] & (0x80 >> bits % 8)))
		bits++;
	return bits;
}

struct cidrs {
	struct cidr *at;
	size_t count, capacity;
};

/* Adds an interface's address, and its broadcast address if available. False: out of memory. */
static bool add_own(struct arena *a, const struct ifaddrs *i, struct cidrs *own)
{
	struct cidr at = {ip_of(i->ifa_addr), bits_of(ip_of(i->ifa_netmask))};
	if (ip_is_none(at.base))
		return true;
	if (!VEC_PUSH(a, own, at))
		return false;
	struct cidr all = {ip_of(i->ifa_flags & IFF_BROADCAST ? i->ifa_broadaddr : NULL), 32};
	return all.base.family != IP_V4 || VEC_PUSH(a, own, all);
}

/* Reads the current interfaces. Those in our namespaces don't matter: they are link-local and not routed from
 * here. */
static RESULT read_own(struct ctx *c, struct web_refused *refused)
{
	struct ifaddrs *list = NULL;
	struct cidrs own = {0};
	bool is_whole = true;
	if (getifaddrs(&list) != 0)
		return ctx_fail(c, ERR_IO, "this machine's addresses cannot be read");
	for (const struct ifaddrs *i = list; i && is_whole; i = i->ifa_next)
		is_whole = add_own(c->arena, i, &own);
	freeifaddrs(list);
	refused->own = own.at;
	refused->own_count = own.count;
	return is_whole ? OK : ctx_no_memory(c);
}

/* ---- the addresses of hosts and databases ---- */

/* Reduces "user@host:port/path" to "host", and "[2001:db8::1]:6641" to the content of the brackets. */
static struct str host_of_authority(struct str s)
{
	size_t end = 0, start = 0;
	while (end < s.n && !strchr("/?#", s.p[end]))
		end++;
	for (size_t k = 0; k < end; k++)
		start = s.p[k] == '@' ? k + 1 : start;
	s = str_slice(s, start, end);
	char last = s.n && s.p[0] == '[' ? ']' : ':';
	for (end = 0; end < s.n && s.p[end] != last;)
		end++;
	return str_slice(s, last == ']', end);
}

static struct str host_of_uri(struct str uri, size_t scheme_size)
{
	if (str_starts_with(uri, STR("sim:")))
		return STR_NONE;
	return host_of_authority(str_slice(uri, scheme_size + 3, uri.n));
}

/* Extracts the host of "ssl:10.0.0.1:6642". */
static struct str host_of_database(struct str remote)
{
	struct str method = STR_NONE;
	if (!str_split_next(&remote, ':', &method) || str_is(method, "unix") || str_is(method, "simulated"))
		return STR_NONE;
	return host_of_authority(remote);
}

struct str egress_policy_next_host(struct str *remote)
{
	for (size_t k = 0; k + 3 <= remote->n; k++)
		if (memcmp(remote->p + k, "://", 3) == 0) {
			struct str uri = *remote;
			*remote = STR_NONE;
			return host_of_uri(uri, k);
		}
	struct str one = STR_NONE, host = STR_NONE;
	while (!host.n && str_split_next(remote, ',', &one))
		host = host_of_database(str_trim(one));
	return host;
}

struct addresses {
	struct ip *at;
	size_t count, capacity;
};

static void resolve(struct known_name *known)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	size_t count = 0;
	known->asked_us = clock_monotonic_us();
	if (getaddrinfo(known->name, NULL, &hints, &list) != 0)
		return; /* keeps the cached addresses */
	for (const struct addrinfo *i = list; i && count < NAME_IPS_MAX; i = i->ai_next)
		known->ips[count++] = ip_of(i->ai_addr);
	known->count = count;
	freeaddrinfo(list);
}

/* NULL: too many, or out of memory. */
static struct known_name *know(struct egress_policy *r, const char *name)
{
	for (size_t k = 0; k < r->name_count; k++)
		if (strcmp(r->names[k].name, name) == 0)
			return &r->names[k];
	char *copy = r->name_count < NAMES_MAX ? heap_copy_z(name) : NULL;
	if (!copy)
		return NULL;
	r->names[r->name_count] = (struct known_name){.name = copy};
	return &r->names[r->name_count++];
}

/* Adds a name's addresses, resolved again every few minutes; if resolving takes too long, the cached ones are
 * used. */
static bool add_name(struct egress_policy *r, struct ctx *c, const char *name, int64_t since_us,
		     struct addresses *list)
{
	struct known_name *known = name ? know(r, name) : NULL;
	int64_t now_us = clock_monotonic_us();
	if (!known)
		return false;
	if ((!known->asked_us || now_us > known->asked_us + NAME_KEPT_US) && now_us < since_us + RESOLVING_US)
		resolve(known);
	for (size_t k = 0; k < known->count; k++)
		if (!VEC_PUSH(c->arena, list, known->ips[k]))
			return false;
	return true;
}

static bool add_remote(struct egress_policy *r, struct ctx *c, struct str remote, int64_t since_us,
		       struct addresses *list)
{
	for (struct str host; (host = egress_policy_next_host(&remote)).n;) {
		struct ip ip = {0};
		bool is_added = result_is_ok(ip_parse(host, &ip))
					? VEC_PUSH(c->arena, list, ip)
					: add_name(r, c, str_to_z(c->arena, host), since_us, list);
		if (!is_added)
			return false;
	}
	return true;
}

static RESULT read_managed(struct egress_policy *r, struct ctx *c, struct web_refused *refused)
{
	struct addresses list = {0};
	struct strs remotes = {0};
	bool is_whole = true;
	if (!r || !r->list_remotes)
		return OK;
	if (!r->list_remotes(r->arg, c->arena, &remotes))
		return ctx_no_memory(c);
	(void) pthread_mutex_lock(&r->lock);
	int64_t since_us = clock_monotonic_us();
	for (size_t k = 0; k < remotes.count && is_whole; k++)
		is_whole = add_remote(r, c, remotes.at[k], since_us, &list);
	(void) pthread_mutex_unlock(&r->lock);
	refused->managed = (struct ips){list.at, list.count};
	return is_whole ? OK : ctx_no_memory(c);
}

/* ---- curl ---- */

static long count_redirects(CURL *curl)
{
	long redirects = 0;
	(void) curl_easy_getinfo(curl, CURLINFO_REDIRECT_COUNT, &redirects);
	return redirects;
}

/* Checks the address itself just before connecting, whatever the name was resolved to before. */
static curl_socket_t open_allowed(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct web_visit *v = arg;
	(void) purpose;
	long redirects = count_redirects(v->curl);
	bool is_same_server = redirects == v->redirects;
	bool is_allowed = result_is_ok(read_own(v->c, &v->refused)) &&
			  egress_policy_allows(v->reach, &v->refused, ip_of(&address->addr));
	v->is_allowed = is_allowed || (is_same_server && v->is_allowed);
	v->is_refused = !is_allowed || (is_same_server && v->is_refused);
	v->redirects = redirects;
	return is_allowed ? socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol)
			  : CURL_SOCKET_BAD;
}

RESULT web_visit_begin(struct web_visit *v, CURL *curl, const char *schemes)
{
	TRY(read_managed(v->reach, v->c, &v->refused));
	v->curl = curl;
	(void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, schemes);
	(void) curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, schemes);
	(void) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* a proxy could connect to refused addresses */
	(void) curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_allowed);
	(void) curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, v);
	return OK;
}

/* The host in a URL. */
static struct str host_of_url(struct arena *a, const char *url)
{
	CURLU *parsed = curl_url();
	char *host = NULL;
	struct str copy = STR_NONE;
	if (parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		copy = str_copy(a, str_from(host));
	curl_free(host);
	curl_url_cleanup(parsed);
	return copy.n ? copy : STR("the host");
}

/* The message contains the requested host only, neither its address nor the reason for the refusal. */
RESULT web_visit_check(const struct web_visit *v, CURLcode code)
{
	if (!v->is_refused || v->is_allowed || code != CURLE_COULDNT_CONNECT)
		return OK;
	struct str host = host_of_url(v->c->arena, v->url);
	ctx_clear_problem(v->c);
	return v->redirects
		       ? ctx_fail(v->c, ERR_IO, "%" STR_FMT " redirects to an address that is not allowed",
				  STR_ARG(host))
		       : ctx_fail(v->c, ERR_IO, "the address of %" STR_FMT " is not allowed", STR_ARG(host));
}
