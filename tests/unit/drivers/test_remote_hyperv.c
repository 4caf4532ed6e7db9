/* SPDX-License-Identifier: Apache-2.0
 * Hyper-V: NTLM by the vectors of MS-NLMP, what is read of machines and faults, and texts that are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/remote/hyperv/embedded.h"
#include "drivers/remote/hyperv/jobs.h"
#include "drivers/remote/hyperv/machines.h"
#include "drivers/remote/hyperv/ntlm.h"
#include "remote_bench.h"

#define ID "6D9A0A3E-0000-4000-8000-000000000001"
#define REF "6d9a0a3e-0000-4000-8000-000000000001"
#define HEAD                                                                                                 \
	"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "                                   \
	"xmlns:n=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" "                                     \
	"xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" "                                        \
	"xmlns:p=\"http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/A\"><s:Body>"
#define TAIL "</s:Body></s:Envelope>"
#define PAGE(items)                                                                                          \
	HEAD "<n:PullResponse><n:Items>" items "</n:Items><n:EndOfSequence/></n:PullResponse>" TAIL
#define FAULT(subcode, code)                                                                                 \
	HEAD "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:" subcode                    \
	     "</s:Value></s:Subcode></s:Code><s:Reason><s:Text>Why.</s:Text></s:Reason><s:Detail>"           \
	     "<f:WSManFault xmlns:f=\"f\" Code=\"" code "\"/></s:Detail></s:Fault>" TAIL

/* ---- NTLM ---- */

static struct str hex(struct bench *b, const void *bytes, size_t size)
{
	return str_encode_hex(b->arena, bytes, size);
}

/* RFC 1320, A.5 */
static void md4_is_right(void **state)
{
	static const struct {
		const char *text, *digest;
	} known[] = {{"", "31d6cfe0d16ae931b73c59d7e0c089c0"},
		     {"abc", "a448017aaf21d8525fc10ae87aa6729d"},
		     {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
		      "e33b4ddc9c38f2199c3e7b164fcc0536"}};
	struct bench *b = *state;
	uint8_t digest[NTLM_HASH_SIZE];
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
		ntlm_md4(str_from(known[k].text), digest);
		assert_true(str_is(hex(b, digest, sizeof digest), known[k].digest));
	}
}

/* MS-NLMP 4.2.4: user User of Domain with the password Password. */
static void the_proof_is_that_of_the_specification(void **state)
{
	static const char info[] = "\x02\x00\x0c\x00"
				   "D\0o\0m\0a\0i\0n\0"
				   "\x01\x00\x0c\x00"
				   "S\0e\0r\0v\0e\0r\0"
				   "\0\0\0\0";
	struct bench *b = *state;
	struct ntlm_challenge challenge = {.bytes = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef},
					   .target_info = {info, sizeof info - 1}};
	const struct ntlm_nonce nonce = {.bytes = {0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa}};
	struct str text = STR_NONE, message = STR_NONE;
	assert_true(result_is_ok(
		ntlm_write_answer(&b->c, STR("Domain\\User"), STR("Password"), &challenge, &nonce, &text)));
	assert_true(result_is_ok(str_decode_base64(b->arena, text, &message)));
	const uint8_t *p = (const uint8_t *) message.p;
	size_t from = p[24] | (size_t) p[25] << 8;
	assert_true(str_is(hex(b, p + from, NTLM_HASH_SIZE), "68cd0ab851e51c96aabc927bebef6a1c"));
	assert_memory_equal(message.p + (p[32] | p[33] << 8), "D\0o\0m\0a\0i\0n\0U\0s\0e\0r\0", 20);
}

static void malformed_challenges_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "!", "TlRMTVNTUAAC",
		/* the target's information lies behind the end */
		"TlRMTVNTUAACAAAAAAAAADgAAAAFgoCAASNFZ4mrze8AAAAAAAAAAP//AAAwAAAAAAAAAAAAAAA=",
		/* it has none */
		"TlRMTVNTUAACAAAAAAAAADgAAAAFAgAAASNFZ4mrze8AAAAAAAAAAAAAAAAwAAAAAAAAAAAAAAA="};
	struct bench *b = *state;
	struct ntlm_challenge challenge;
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		ctx_clear_problem(&b->c);
		assert_int_equal(ntlm_read_challenge(&b->c, str_from(bad[k]), &challenge).code, ERR_IO);
	}
}

/* ---- machines ---- */

#define SYSTEM(state)                                                                                        \
	PAGE("<p:A><p:Name>HV1</p:Name></p:A><p:A><p:ElementName>web</p:ElementName><p:EnabledState>" state  \
	     "</p:EnabledState><p:Name>" ID "</p:Name></p:A>")
#define SETTINGS(notes)                                                                                      \
	PAGE("<p:A><p:InstanceID>Microsoft:" ID "</p:InstanceID><p:Notes>" notes "</p:Notes></p:A>")

static struct remote_page read_machine(struct bench *b, bool lists, const char *system, const char *settings)
{
	struct remote_page page;
	struct hyperv_reading *r = hyperv_begin_machines(&b->c, lists);
	assert_non_null(r);
	assert_true(result_is_ok(hyperv_read_machines(r, HYPERV_SYSTEMS, str_from(system))));
	assert_true(result_is_ok(hyperv_read_machines(r, HYPERV_SETTINGS, str_from(settings))));
	assert_true(result_is_ok(hyperv_end_machines(r, &page)));
	return page;
}

static void states_are_told_apart(void **state)
{
	static const struct {
		const char *text, *word;
		enum remote_machine_power power;
	} known[] = {{SYSTEM("2"), "Running", REMOTE_MACHINE_POWER_RUNNING},
		     {SYSTEM("3"), "Off", REMOTE_MACHINE_POWER_STOPPED},
		     {SYSTEM("6"), "Saved", REMOTE_MACHINE_POWER_STOPPED},
		     {SYSTEM("32768"), "Paused", REMOTE_MACHINE_POWER_STOPPED},
		     {SYSTEM("32770"), "Starting", REMOTE_MACHINE_POWER_PENDING},
		     {SYSTEM("32774"), "Stopping", REMOTE_MACHINE_POWER_STOPPING},
		     {SYSTEM("7"), "state 7", REMOTE_MACHINE_POWER_UNKNOWN},
		     {SYSTEM("-1"), "state 0", REMOTE_MACHINE_POWER_UNKNOWN}};
	struct bench *b = *state;
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
		struct remote_page page = read_machine(b, true, known[k].text, SETTINGS(""));
		assert_int_equal(page.count, 1);
		assert_true(str_is(page.machines[0].ref, REF));
		assert_true(str_is(page.machines[0].raw_state, known[k].word));
		assert_int_equal(page.machines[0].power, known[k].power);
	}
}

static void notes_have_the_token_and_tags(void **state)
{
	struct bench *b = *state;
	struct remote_page page = read_machine(b, true, SYSTEM("2"),
					       SETTINGS("ann\ndari:id " REF "\ndari:tag a=b=c\n"
							"dari:tag dari:x=y\ndari:tag none"));
	assert_int_equal(page.machines[0].remote_tags.count, 2);
	assert_true(str_is(tags_find(page.machines[0].remote_tags, STR("a"))->value, "b=c"));
	assert_true(str_is(uuid_to_str(b->arena, page.machines[0].row.id), REF));
	assert_true(str_is(hyperv_strip_notes(&b->c, STR("a\r\ndari:tag x=1\nb"), "dari:tag x="), "a\nb"));
}

/* A listing would end the creation of half a machine. */
static void machines_that_are_being_made_are_not_listed(void **state)
{
	struct bench *b = *state;
	assert_int_equal(read_machine(b, true, SYSTEM("3"), SETTINGS("dari:making " REF)).count, 0);
	assert_int_equal(read_machine(b, false, SYSTEM("3"), SETTINGS("dari:making " REF)).count, 1);
	assert_int_equal(read_machine(b, false, SYSTEM("3"), PAGE("")).count, 0);
}

static void ids_of_parts_name_their_machine(void **state)
{
	struct bench *b = *state;
	assert_true(str_is(hyperv_owner(&b->c, STR("Microsoft:" ID "\\x\\0")), REF));
	assert_true(str_is(hyperv_owner(&b->c, STR("Microsoft:" ID)), REF));
	assert_int_equal(hyperv_owner(&b->c, STR("Microsoft:" ID "0\\x")).n, 0);
	assert_int_equal(hyperv_owner(&b->c, STR("Microsoft:Definition\\x\\Default")).n, 0);
	assert_true(str_is(hyperv_part_id(&b->c, STR("Microsoft:A\\B\\0")), "a:b:0"));
	assert_true(str_is(hyperv_path_name(STR("\\\\H\\root:S.CreationClassName=\"S\",Name=\"N\"")), "N"));
	assert_int_equal(hyperv_path_name(STR("\\\\H\\root:S.CreationClassName=\"S\"")).n, 0);
}

/* ---- faults and values ---- */

static void faults_are_kinds_of_failure(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} known[] = {{FAULT("AccessDenied", "5"), ERR_DENIED},
		     {FAULT("AccessDenied", "17"), ERR_DENIED},
		     {FAULT("InvalidParameter", "2150858778"), ERR_UNSUPPORTED},
		     {FAULT("DestinationUnreachable", "2147749934"), ERR_UNSUPPORTED},
		     {FAULT("QuotaLimit", "1"), ERR_THROTTLED},
		     {FAULT("TimedOut", "1"), ERR_AGAIN},
		     {FAULT("DestinationUnreachable", "2150858752"), ERR_NOT_FOUND},
		     {FAULT("Other", "1"), ERR_INVALID}};
	struct bench *b = *state;
	struct wsman_fault fault;
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
		assert_true(result_is_ok(wsman_read_fault(&b->c, str_from(known[k].text), &fault)));
		assert_true(str_is(fault.words, "Why."));
		assert_int_equal(wsman_err_of_fault(&fault), known[k].err);
	}
	assert_int_equal(wsman_read_fault(&b->c, STR(PAGE("")), &fault).code, ERR_IO);
	ctx_clear_problem(&b->c);
	assert_true(result_is_ok(hyperv_judge_value(&b->c, HYPERV_JOB_STARTED)));
	assert_int_equal(hyperv_judge_value(&b->c, HYPERV_INVALID_STATE).code, ERR_STATE);
	ctx_clear_problem(&b->c);
	assert_int_equal(hyperv_judge_value(&b->c, 99999).code, ERR_INVALID);
}

/* A text that is written is read again as it was. */
static void embedded_instances_are_escaped(void **state)
{
	static const char *const wanted[] = {"Name", "List", NULL};
	static struct wsman_instance i;
	struct bench *b = *state;
	struct embedded e;
	struct str text = STR_NONE;
	embedded_begin(&e, "A");
	embedded_put(&e, "Name", "string", STR("a<b>&\"c\""));
	embedded_put_array(&e, "List", STR("x]]>y"));
	assert_true(result_is_ok(embedded_end(&e, &b->c, &text)));
	assert_true(result_is_ok(wsman_read_embedded(&b->c, text, wanted, &i)));
	assert_true(str_is(wsman_get(&i, "Name"), "a<b>&\"c\"") && str_is(wsman_get(&i, "List"), "x]]>y"));
	assert_true(str_is(wsman_quote(&b->c, STR("C:\\a'b")), "'C:\\\\a\\'b'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md4_is_right),
		cmocka_unit_test(the_proof_is_that_of_the_specification),
		cmocka_unit_test(malformed_challenges_are_refused),
		cmocka_unit_test(states_are_told_apart),
		cmocka_unit_test(notes_have_the_token_and_tags),
		cmocka_unit_test(machines_that_are_being_made_are_not_listed),
		cmocka_unit_test(ids_of_parts_name_their_machine),
		cmocka_unit_test(faults_are_kinds_of_failure),
		cmocka_unit_test(embedded_instances_are_escaped),
	};
	return cmocka_run_group_tests_name("remote_hyperv", tests, setup, teardown);
}
