/* SPDX-License-Identifier: Apache-2.0
 * Entries of access logs and connection logs (access_line.h). */
#include "reconcile/balancing/access_line.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/proxy.h"

/* Words of a report, in its order. */
enum word {
	WORD_MARK,
	WORD_TYPE,
	WORD_PORT,
	WORD_TIME,
	WORD_ACTIVE,
	WORD_RECEIVING,
	WORD_QUEUED,
	WORD_CONNECTING,
	WORD_WAITING,
	WORD_SENDING,
	WORD_STATUS,
	WORD_TARGET_STATUS,
	WORD_RECEIVED,
	WORD_SENT,
	WORD_CLIENT,
	WORD_CLIENT_PORT,
	WORD_TARGET,
	WORD_TARGET_PORT,
	WORD_BACKEND,
	WORD_VERSION,
	WORD_PRIORITY,
	WORD_ACTION,
	WORD_CIPHER,
	WORD_PROTOCOL,
	WORD_CERTIFICATE,
	WORD_CONNECTION,
	WORDS_OF_TCP,
	WORD_LISTENER = WORD_VERSION, /* network load balancers have it there */
	WORD_NETWORK_NAME = WORDS_OF_TCP,
	WORD_ALPN,
	WORDS_OF_NETWORK,
	WORD_METHOD = WORDS_OF_TCP,
	WORD_HOST,
	WORD_PATH,
	WORD_HTTP,
	WORD_AGENT,
	WORD_TRACE,
	WORD_NAME,
	WORD_LOCATION,
	WORDS_OF_HTTP,
	/* application load balancers alone: */
	WORD_HANDSHAKE = WORDS_OF_HTTP,
	WORD_ESTABLISHED,
	WORD_IS_FIRST, /* the connection's first request */
	WORD_IS_LATER, /* the connection has had a request that could be read, this one or another */
	WORDS
};

/* ---- reading ---- */

/* Splits the report at spaces outside of quotes; quotes stay out of the words. False: a text is not closed, or there are too many. */
static bool split(struct str report, struct str words[static WORDS], size_t *ret_count)
{
	size_t count = 0;
	for (size_t at = 0; at < report.n; at++) {
		bool is_text = report.p[at] == '"';
		size_t begin = at + is_text, end = begin;
		while (end < report.n && report.p[end] != (is_text ? '"' : ' '))
			end += is_text && report.p[end] == '\\' ? 2 : 1;
		if (count == WORDS || end > report.n || (is_text && end == report.n))
			return false;
		words[count++] = str_slice(report, begin, end);
		at = end + is_text;
	}
	*ret_count = count;
	return true;
}

static bool is_absent(struct str word)
{
	return !word.n || str_is(word, "-");
}

static int64_t number_of(struct str word)
{
	int64_t number = 0;
	return result_is_ok(str_parse_int(word, &number)) ? number : -1;
}

/* ---- writing ---- */

static void put_byte(struct buf *out, unsigned byte)
{
	bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
	if (is_plain)
		buf_add_char(out, (char) byte);
	else
		buf_print(out, "\\x%02X", byte & 0xff);
}

/* Bytes that would end the text or the line are written as \xNN. */
static void put_text(struct buf *out, struct str json)
{
	static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	for (size_t k = 0; k < json.n; k++) {
		uint8_t byte[2] = {0};
		if (json.p[k] != '\\' || k + 1 >= json.n) {
			put_byte(out, (unsigned char) json.p[k]);
			continue;
		}
		char next = json.p[++k];
		const char *letter = strchr(letters, next);
		if (next == 'u' && k + 4 < json.n &&
		    result_is_ok(str_decode_hex(str_slice(json, k + 1, k + 5), byte, sizeof byte))) {
			put_byte(out, byte[1]);
			k += 4;
		} else {
			put_byte(out, (unsigned char) (letter ? bytes[letter - letters] : next));
		}
	}
}

static void put_quoted(struct buf *out, struct str json)
{
	buf_print(out, " \"");
	if (is_absent(json))
		buf_add_char(out, '-');
	else
		put_text(out, json);
	buf_add_char(out, '"');
}

static void put_word(struct buf *out, struct str word)
{
	buf_print(out, " %" STR_FMT, STR_ARG(is_absent(word) ? STR("-") : word));
}

static void put_time(struct buf *out, int64_t us)
{
	struct clock_date date = clock_date_of(us / (24 * HOUR));
	buf_print(out, " %04d-%02u-%02uT%02d:%02d:%02d.%06dZ", (int) date.year, date.month, date.day,
		  (int) (us / HOUR % 24), (int) (us / MINUTE % 60), (int) (us / SECOND % 60),
		  (int) (us % SECOND));
}

/* Seconds with that many digits; -1: the proxy does not know. */
static void put_seconds(struct buf *out, int64_t ms, int digits)
{
	if (ms < 0)
		buf_print(out, " -1");
	else
		buf_print(out, " %" PRId64 ".%03d%s", ms / 1000, (int) (ms % 1000), digits == 6 ? "000" : "");
}

static void put_end(struct buf *out, struct str ip, struct str port)
{
	if (is_absent(ip) || is_absent(port))
		buf_add_char(out, '-');
	else
		buf_print(out, "%" STR_FMT ":%" STR_FMT, STR_ARG(ip), STR_ARG(port));
}

/* "GET http://host:80/path HTTP/1.1" */
static void put_request(struct buf *out, const struct str *words, const struct access_subject *subject)
{
	char ip[IP_TEXT_SIZE];
	bool is_known = !is_absent(words[WORD_METHOD]);
	buf_print(out, " \"");
	put_text(out, is_known ? words[WORD_METHOD] : STR("-"));
	buf_print(out, " %" STR_FMT "://", STR_ARG(words[WORD_TYPE]));
	put_text(out, is_absent(words[WORD_HOST]) ? str_from(ip_write(subject->ip, ip)) : words[WORD_HOST]);
	buf_print(out, ":%" STR_FMT, STR_ARG(words[WORD_PORT]));
	if (!is_absent(words[WORD_PATH]))
		put_text(out, words[WORD_PATH]);
	if (is_known && !is_absent(words[WORD_HTTP])) {
		buf_print(out, " HTTP/");
		put_text(out, words[WORD_HTTP]);
	} else {
		buf_print(out, " -%s", is_known ? "" : " ");
	}
	buf_add_char(out, '"');
}

/* Times until the target gets the request, until it answers, and until the client has the answer. Nothing is known of the first
 * without a target. */
static void put_times(struct buf *out, const struct str *words, int digits)
{
	int64_t parts[] = {number_of(words[WORD_RECEIVING]), number_of(words[WORD_QUEUED]),
			   number_of(words[WORD_CONNECTING])};
	int64_t sum = 0;
	for (size_t k = 0; k < 3; k++)
		sum = sum < 0 || parts[k] < 0 ? -1 : sum + parts[k];
	put_seconds(out, sum, digits);
	put_seconds(out, sum < 0 ? -1 : number_of(words[WORD_WAITING]), digits);
	put_seconds(out, sum < 0 ? -1 : number_of(words[WORD_SENDING]), digits);
}

static int64_t begin_of(const struct str *words)
{
	int64_t active_ms = number_of(words[WORD_ACTIVE]);
	return number_of(words[WORD_TIME]) - (active_ms > 0 ? active_ms * MILLISECOND : 0);
}

static const char *type_of(const struct str *words)
{
	bool is_secure = str_is(words[WORD_TYPE], "https");
	if (str_is(words[WORD_STATUS], "101"))
		return is_secure ? "wss" : "ws";
	if (is_secure && str_is(words[WORD_VERSION], "2"))
		return "h2";
	return is_secure ? "https" : "http";
}

/* ---- application load balancers ---- */

static struct str find_group(const struct access_names *names, struct str backend)
{
	uuid id;
	if (backend.n != 1 + 2 * sizeof id || (backend.p[0] != 'g' && backend.p[0] != 'o') ||
	    !result_is_ok(str_decode_hex(str_slice(backend, 1, backend.n), id.b, sizeof id.b)))
		return STR_NONE;
	for (size_t k = 0; k < names->group_count; k++)
		if (uuid_equal(names->groups[k].id, id))
			return names->groups[k].arn;
	return STR_NONE;
}

static struct str find_certificate(const struct access_names *names, struct str sha1)
{
	for (size_t k = 0; k < names->certificate_count; k++)
		if (str_is(sha1, names->certificates[k].sha1))
			return names->certificates[k].arn;
	return STR_NONE;
}

/* Writes what entries of both types have behind the time: name, ends, durations with that many digits, statuses and sizes. */
static void put_exchange(struct buf *out, const struct str *words, const struct access_subject *subject,
			 int digits)
{
	buf_print(out, " %s ", subject->name);
	put_end(out, words[WORD_CLIENT], words[WORD_CLIENT_PORT]);
	buf_add_char(out, ' ');
	put_end(out, words[WORD_TARGET], words[WORD_TARGET_PORT]);
	put_times(out, words, digits);
	put_word(out, words[WORD_STATUS]);
	put_word(out, words[WORD_TARGET_STATUS]);
	put_word(out, words[WORD_RECEIVED]);
	put_word(out, words[WORD_SENT]);
}

/* The connection's id without dashes; a random one if it has none. */
static void put_connection(struct buf *out, struct str id)
{
	buf_print(out, " TID_");
	if (is_absent(id))
		buf_print(out, "%016" PRIx64 "%016" PRIx64, random_u64(), random_u64());
	for (size_t k = 0; !is_absent(id) && k < id.n; k++)
		if (id.p[k] != '-')
			buf_add_char(out, id.p[k]);
}

static void write_application(struct buf *out, const struct str *words, const struct access_subject *subject,
			      const struct access_names *names)
{
	buf_print(out, "%s", type_of(words));
	put_time(out, number_of(words[WORD_TIME]));
	put_exchange(out, words, subject, 3);
	put_request(out, words, subject);
	put_quoted(out, words[WORD_AGENT]);
	put_word(out, words[WORD_CIPHER]);
	put_word(out, words[WORD_PROTOCOL]);
	put_word(out, find_group(names, words[WORD_BACKEND]));
	put_quoted(out, words[WORD_TRACE]);
	put_quoted(out, words[WORD_NAME]);
	put_quoted(out, find_certificate(names, words[WORD_CERTIFICATE]));
	put_word(out, is_absent(words[WORD_PRIORITY]) ? STR("-1") : words[WORD_PRIORITY]);
	put_time(out, begin_of(words));
	put_quoted(out, words[WORD_ACTION]);
	put_quoted(out, words[WORD_LOCATION]);
	buf_print(out, " \"-\" \""); /* error_reason: no action can fail by itself */
	put_end(out, words[WORD_TARGET], words[WORD_TARGET_PORT]);
	buf_add_char(out, '"');
	put_quoted(out, words[WORD_TARGET_STATUS]);
	buf_print(out,
		  " \"-\" \"-\""); /* classification and its reason: requests that may desync are refused */
	if (is_absent(words[WORD_CONNECTION]))
		put_word(out, STR_NONE);
	else
		put_connection(out, words[WORD_CONNECTION]);
	buf_print(out, " \"-\" \"-\" \"-\"\n"); /* rules do not transform requests */
}

/* ---- Classic Load Balancers ---- */

static void write_classic(struct buf *out, const struct str *words, bool is_http,
			  const struct access_subject *subject)
{
	struct buf time;
	buf_init(&time, 64);
	put_time(&time, begin_of(words));
	buf_add_str(out, str_trim(buf_str(&time)));
	buf_done(&time);
	put_exchange(out, words, subject, 6);
	if (is_http) {
		put_request(out, words, subject);
		put_quoted(out, words[WORD_AGENT]);
	} else {
		buf_print(out, " \"- - - \" \"-\"");
	}
	put_word(out, words[WORD_CIPHER]);
	put_word(out, words[WORD_PROTOCOL]);
	buf_add_char(out, '\n');
}

/* ---- network load balancers ---- */

/* Seconds, as in AWS. */
static void put_second(struct buf *out, int64_t us)
{
	struct clock_date date = clock_date_of(us / (24 * HOUR));
	buf_print(out, " %04d-%02u-%02uT%02d:%02d:%02d", (int) date.year, date.month, date.day,
		  (int) (us / HOUR % 24), (int) (us / MINUTE % 60), (int) (us / SECOND % 60));
}

/* "TLSv1.3" is "tlsv13". */
static void put_protocol(struct buf *out, struct str word)
{
	if (is_absent(word)) {
		put_word(out, STR_NONE);
		return;
	}
	buf_add_char(out, ' ');
	for (size_t k = 0; k < word.n; k++) {
		char c = word.p[k];
		if (c != '.')
			buf_add_char(out, (char) (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c));
	}
}

/* The destination is the load balancer's own address, to which the client connects. */
static void write_network(struct buf *out, const struct str *words, const struct access_subject *subject,
			  const struct access_names *names)
{
	bool has_failed =
		is_absent(words[WORD_CIPHER]) || str_is(words[WORD_CIPHER], "(NONE)"); /* HAProxy's word */
	buf_print(out, "tls 2.0");
	put_second(out, number_of(words[WORD_TIME]));
	buf_print(out, " %s", subject->name);
	put_word(out, words[WORD_LISTENER]);
	buf_add_char(out, ' ');
	put_end(out, words[WORD_CLIENT], words[WORD_CLIENT_PORT]);
	buf_add_char(out, ' ');
	put_end(out, words[WORD_TARGET], words[WORD_TARGET_PORT]);
	put_word(out, words[WORD_ACTIVE]);
	put_word(out, has_failed ? STR_NONE : words[WORD_RECEIVING]);
	put_word(out, words[WORD_RECEIVED]);
	put_word(out, words[WORD_SENT]);
	put_word(out, STR_NONE); /* HAProxy does not tell a client's alert */
	put_word(out, has_failed ? STR_NONE : find_certificate(names, words[WORD_CERTIFICATE]));
	put_word(out, STR_NONE); /* the certificate's serial number: always so in AWS */
	put_word(out, has_failed ? STR_NONE : words[WORD_CIPHER]);
	put_protocol(out, has_failed ? STR_NONE : words[WORD_PROTOCOL]);
	put_word(out, STR_NONE); /* the group of the key exchange: HAProxy 2.6 does not know it */
	buf_add_char(out, ' ');
	if (is_absent(words[WORD_NETWORK_NAME]))
		buf_add_char(out, '-');
	else
		put_text(out, words[WORD_NETWORK_NAME]);
	put_word(out, words[WORD_ALPN]);
	buf_print(out, " - -"); /* to targets, and what the client prefers, which HAProxy 2.6 does not keep */
	put_second(out, begin_of(words));
	buf_add_char(out, '\n');
}

static bool read_report(struct str report, struct str words[static WORDS], size_t *ret_count)
{
	return split(report, words, ret_count) && str_is(words[WORD_MARK], ACCESS_MARK) &&
	       number_of(words[WORD_TIME]) > 0;
}

bool access_line_write(struct buf *out, struct str report, const struct access_subject *subject,
		       const struct access_names *names)
{
	struct str words[WORDS] = {{0}};
	size_t count = 0;
	if (!read_report(report, words, &count))
		return false;
	if (subject->form == ACCESS_NETWORK && count == WORDS_OF_NETWORK)
		write_network(out, words, subject, names);
	else if (subject->form == ACCESS_CLASSIC && (count == WORDS_OF_HTTP || count == WORDS_OF_TCP))
		write_classic(out, words, count == WORDS_OF_HTTP, subject);
	else if (subject->form == ACCESS_APPLICATION && (count == WORDS || count == WORDS_OF_HTTP))
		write_application(out, words, subject, names);
	else
		return false;
	return true;
}

/* ---- connections ---- */

/* A failed handshake has no status of a request, and no connection's id. */
static bool has_failed_handshake(const struct str *words)
{
	return is_absent(words[WORD_METHOD]) && str_is(words[WORD_STATUS], "0");
}

bool access_line_is_connection_alone(struct str report)
{
	struct str words[WORDS] = {{0}};
	size_t count = 0;
	return read_report(report, words, &count) && count == WORDS && has_failed_handshake(words);
}

/* Clients show no certificates: listeners do not ask for any. */
static void write_connection(struct buf *out, const struct str *words)
{
	bool is_tls = str_is(words[WORD_TYPE], "https"), has_failed = has_failed_handshake(words);
	bool has_cipher = !has_failed && is_tls;
	int64_t established_us = number_of(words[WORD_ESTABLISHED]);
	struct buf time;
	buf_init(&time, 64);
	put_time(&time, established_us > 0 ? established_us : number_of(words[WORD_TIME]));
	buf_add_str(out, str_trim(buf_str(&time)));
	buf_done(&time);
	put_word(out, words[WORD_CLIENT]);
	put_word(out, words[WORD_CLIENT_PORT]);
	put_word(out, words[WORD_PORT]);
	put_word(out, is_tls ? words[WORD_PROTOCOL] : STR_NONE);
	put_word(out, has_cipher ? words[WORD_CIPHER] : STR_NONE);
	if (has_cipher)
		put_seconds(out, number_of(words[WORD_HANDSHAKE]), 3);
	else
		put_word(out, STR_NONE);
	buf_print(out, " \"-\" - -");
	put_word(out, !is_tls      ? STR_NONE
		      : has_failed ? STR("Failed:UnmappedConnectionError")
				   : STR("Success"));
	put_connection(out, words[WORD_CONNECTION]);
	put_word(out, STR_NONE); /* the key exchange, which HAProxy 2.6 does not know */
	buf_add_char(out, '\n');
}

bool access_line_write_connection(struct buf *out, struct str report)
{
	struct str words[WORDS] = {{0}};
	size_t count = 0;
	if (!read_report(report, words, &count) || count != WORDS)
		return false;
	bool is_first = str_is(words[WORD_IS_FIRST], "1") || is_absent(words[WORD_IS_LATER]);
	if (is_first)
		write_connection(out, words);
	return is_first;
}

/* ---- names of files ---- */

static struct str write_place(struct arena *a, const struct access_subject *subject, bool is_of_connections)
{
	const char *prefix = is_of_connections ? subject->connection_prefix : subject->prefix;
	return str_print(a, "%s%sAWSLogs/%s", prefix, *prefix ? "/" : "", subject->number);
}

struct str access_file_name(struct arena *a, const struct access_subject *subject, bool is_of_connections,
			    int64_t end_us)
{
	char ip[IP_TEXT_SIZE], name[ACCESS_NAME_SIZE];
	struct clock_date date = clock_date_of(end_us / (24 * HOUR));
	unsigned hour = (unsigned) (end_us / HOUR % 24), minute = (unsigned) (end_us / MINUTE % 60);
	for (size_t k = 0; k < sizeof name; k++)
		name[k] = subject->name[k] == '/' ? '.' : subject->name[k];
	struct str place = write_place(a, subject, is_of_connections);
	struct str time =
		str_print(a, "%04d%02u%02uT%02u%02uZ", (int) date.year, date.month, date.day, hour, minute);
	bool has_address = subject->form != ACCESS_NETWORK;
	return str_print(a,
			 "%" STR_FMT
			 "/elasticloadbalancing/%s/%04d/%02u/%02u/%s%s_elasticloadbalancing_%s_%s_%" STR_FMT
			 "_%s%s%08" PRIx32 "%s",
			 STR_ARG(place), subject->region, (int) date.year, date.month, date.day,
			 is_of_connections ? "conn_log." : "", subject->number, subject->region, name,
			 STR_ARG(time), has_address ? ip_write(subject->ip, ip) : "", has_address ? "_" : "",
			 (uint32_t) random_u64(), subject->form == ACCESS_CLASSIC ? ".log" : ".log.gz");
}

struct str access_test_name(struct arena *a, const struct access_subject *subject, bool is_of_connections)
{
	return str_print(a, "%" STR_FMT "/ELB%sLogTestFile",
			 STR_ARG(write_place(a, subject, is_of_connections)),
			 is_of_connections ? "Connection" : "Access");
}
