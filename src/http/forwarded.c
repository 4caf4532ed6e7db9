/* SPDX-License-Identifier: Apache-2.0
 * The client's address behind reverse proxies. Entries are appended by each proxy, so only those at the right end, written by
 * trusted proxies, are worth anything. */
#include "http/forwarded.h"

#include <string.h>

/* More hops than any chain of proxies has; entries left of that many are never reached. */
enum { HOPS_MAX = 32 };

bool forwarded_is_proxy(const struct http_proxies *proxies, struct ip ip)
{
	for (size_t k = 0; k < proxies->count; k++)
		if (cidr_contains(proxies->at[k], ip))
			return true;
	return false;
}

/* ::ffff:192.0.2.1 is 192.0.2.1, as for connections. */
static struct ip unmap(struct ip ip)
{
	static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
	struct ip v4 = {.family = IP_V4};
	if (ip.family != IP_V6 || memcmp(ip.b, mapped, sizeof mapped) != 0)
		return ip;
	memcpy(v4.b, ip.b + sizeof mapped, 4);
	return v4;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80". */
static RESULT read_address(struct str text, struct ip *ret_ip)
{
	size_t end = str_find_char(text, ']', 0);
	size_t colon = str_find_char(text, ':', 0);
	bool has_brackets = text.n && text.p[0] == '[' && end < text.n;
	bool has_port = colon < text.n && str_find_char(text, ':', colon + 1) >= text.n;
	if (has_brackets)
		text = str_slice(text, 1, end);
	else if (has_port)
		text = str_slice(text, 0, colon);
	struct ip ip = {0};
	TRY(ip_parse(text, &ip));
	*ret_ip = unmap(ip);
	return OK;
}

static struct str unquote(struct str text)
{
	bool is_quoted = text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"';
	return is_quoted ? str_slice(text, 1, text.n - 1) : text;
}

/* Value of a parameter in one element of Forwarded, "for=192.0.2.1;proto=https". Escapes in quotes are not decoded: no address needs
 * them. */
static struct str take_pair(struct str entry, const char *name)
{
	struct str pair = STR_NONE;
	while (str_split_next(&entry, ';', &pair)) {
		size_t equals = str_find_char(pair, '=', 0);
		if (equals < pair.n && str_equal_nocase(str_trim(str_slice(pair, 0, equals)), str_from(name)))
			return unquote(str_trim(str_slice(pair, equals + 1, pair.n)));
	}
	return STR_NONE;
}

/* Cuts value into entries at commas outside quotes; keeps the last HOPS_MAX, *ret_count counts all. */
static void cut_entries(struct str value, struct str entries[static HOPS_MAX], size_t *ret_count)
{
	bool is_quoted = false;
	size_t from = 0;
	*ret_count = 0;
	for (size_t k = 0; k <= value.n; k++) {
		if (k < value.n && value.p[k] == '"')
			is_quoted = !is_quoted;
		if (k < value.n && (value.p[k] != ',' || is_quoted))
			continue;
		entries[(*ret_count)++ % HOPS_MAX] = str_trim(str_slice(value, from, k));
		from = k + 1;
	}
}

static struct str known_scheme(struct str text)
{
	return str_equal_nocase(text, STR("https"))  ? STR("https")
	       : str_equal_nocase(text, STR("http")) ? STR("http")
						     : STR_NONE;
}

struct forwarded forwarded_read(const struct http_proxies *proxies, struct ip peer, struct str value)
{
	struct str entries[HOPS_MAX];
	size_t count = 0;
	struct forwarded found = {.client = peer};
	cut_entries(value, entries, &count);
	for (size_t back = 1; back <= count && back <= HOPS_MAX; back++) {
		struct str entry = entries[(count - back) % HOPS_MAX];
		struct str address = proxies->by_forwarded ? take_pair(entry, "for") : entry;
		struct ip ip = {0};
		if (!result_is_ok(read_address(address, &ip)))
			break;
		found.client = ip;
		if (proxies->by_forwarded)
			found.scheme = known_scheme(take_pair(entry, "proto"));
		if (!forwarded_is_proxy(proxies, ip))
			break;
	}
	return found;
}
