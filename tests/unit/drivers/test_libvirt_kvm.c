/* SPDX-License-Identifier: Apache-2.0
 * The proof that KVM works, on a libvirt of which this file defines the functions that the proof calls: what is
 * enough, what is refused and why, and that only a success is remembered on the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/heap.h"
#include "drivers/libvirt/host.h"
#include "model/host.h"

/* ---- libvirt */

#define GUEST(domain)                                                                                        \
	"<guest><arch name='x86_64'><domain type='qemu'/>" domain "</arch></guest></capabilities>"
#define KVM "<domain type='kvm'/>"
#define CPU(feature) "<capabilities><host><cpu><arch>x86_64</arch><model>EPYC</model>" feature "</cpu></host>"
#define SVM "<feature name='svm'/>"

static struct {
	const char *capabilities, *features; /* features of the processor, as the baseline spells them out */
	bool has_marker, is_proven;          /* the marker's pool is there; the proof is in it */
	bool starts;                         /* the guest does */
	int detail;                          /* how it ends */
	int guests, proofs;                  /* that were created */
	struct compute_host *host;
} fake;
static int handle; /* stands for every object of libvirt */

char *virConnectGetCapabilities(virConnectPtr conn)
{
	(void) conn;
	return heap_copy_z(fake.capabilities);
}

char *virConnectBaselineCPU(virConnectPtr conn, const char **xml, unsigned count, unsigned flags)
{
	(void) conn;
	assert_true(count == 1 && flags == VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
	assert_true(str_starts_with(str_from(xml[0]), STR("<cpu>")) &&
		    str_ends_with(str_from(xml[0]), STR("</cpu>")));
	return fake.features ? heap_copy_z(fake.features) : NULL;
}

int virConnectIsAlive(virConnectPtr conn)
{
	(void) conn;
	return 1;
}

virStoragePoolPtr virStoragePoolLookupByName(virConnectPtr conn, const char *name)
{
	(void) conn;
	assert_string_equal(name, "dari-12345678-boot-b007");
	return fake.has_marker ? (virStoragePoolPtr) &handle : NULL;
}

virStorageVolPtr virStorageVolLookupByName(virStoragePoolPtr pool, const char *name)
{
	assert_non_null(pool);
	assert_string_equal(name, "kvm-proven");
	return fake.is_proven ? (virStorageVolPtr) &handle : NULL;
}

virStorageVolPtr virStorageVolCreateXML(virStoragePoolPtr pool, const char *xml, unsigned flags)
{
	(void) flags;
	assert_non_null(pool);
	assert_true(str_contains(str_from(xml), STR("<name>kvm-proven</name>")));
	fake.proofs++;
	return NULL; /* its failure is harmless */
}

virDomainPtr virDomainCreateXML(virConnectPtr conn, const char *xml, unsigned flags)
{
	(void) conn;
	assert_true(str_contains(str_from(xml), STR("<domain type='kvm'>")));
	assert_int_equal(flags, VIR_DOMAIN_START_AUTODESTROY);
	fake.guests++;
	if (!fake.starts)
		return NULL;
	fake.host->proof_detail = fake.detail;
	return (virDomainPtr) &handle;
}

const char *virGetLastErrorMessage(void)
{
	return "no such device";
}

int virStoragePoolFree(virStoragePoolPtr pool)
{
	assert_non_null(pool);
	return 0;
}

int virStorageVolFree(virStorageVolPtr volume)
{
	assert_non_null(volume);
	return 0;
}

int virDomainFree(virDomainPtr domain)
{
	assert_non_null(domain);
	return 0;
}

/* ---- the proof */

/* Asks a new connection, and frees what it found. reason: NULL if KVM works; else its first words. */
static void expect(const char *reason)
{
	static char region[] = "12345678", boot[] = "b007", name[] = "hv1";
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, 1 << 20);
	struct compute_host h = {.conn = (virConnectPtr) &handle, .name = name, .proof_detail = -1};
	struct ctx c;
	ctx_init(&c, arena);
	memcpy(h.region_text, region, sizeof region);
	memcpy(h.boot_id, boot, sizeof boot);
	pthread_mutex_init(&h.lock, NULL);
	pthread_cond_init(&h.ended, NULL);
	fake.host = &h;
	fake.guests = fake.proofs = 0;
	assert_int_equal(libvirt_need_virt(&h, &c).code, ERR_NONE);
	assert_int_equal(h.virt, reason ? HOST_SEEN_VIRT_TCG : HOST_SEEN_VIRT_KVM);
	if (reason)
		assert_true(str_starts_with(str_from(h.virt_reason), str_from(reason)));
	else
		assert_null(h.virt_reason);
	int guests = fake.guests;
	assert_int_equal(libvirt_need_virt(&h, &c).code, ERR_NONE); /* known now: nothing is asked again */
	assert_int_equal(fake.guests, guests);
	heap_free(h.virt_reason);
	pthread_cond_destroy(&h.ended);
	pthread_mutex_destroy(&h.lock);
}

static int works(void **state)
{
	(void) state;
	memset(&fake, 0, sizeof fake);
	fake.capabilities = CPU(SVM) GUEST(KVM);
	fake.has_marker = fake.starts = true;
	fake.detail = VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN;
	return 0;
}

/* A guest that ran its firmware through is remembered, so that the next connection starts none. */
static void test_success_is_remembered(void **state)
{
	(void) state;
	expect(NULL);
	assert_true(fake.guests == 1 && fake.proofs == 1);
	fake.is_proven = true;
	fake.starts = false;
	expect(NULL);
	assert_true(fake.guests == 0 && fake.proofs == 0);
	fake.has_marker = false; /* nowhere to remember it, and nothing is remembered */
	fake.starts = true;
	expect(NULL);
	assert_true(fake.guests == 1 && fake.proofs == 0);
}

static void test_failure_is_not_remembered(void **state)
{
	(void) state;
	fake.detail = VIR_DOMAIN_EVENT_STOPPED_CRASHED;
	expect("a guest with KVM crashes");
	assert_true(fake.guests == 1 && fake.proofs == 0);
	fake.starts = false;
	expect("a guest with KVM does not start: no such device");
	assert_true(fake.guests == 1 && fake.proofs == 0);
}

/* No guest is started where libvirt or the processor rules KVM out. */
static void test_no_guest_without_need(void **state)
{
	(void) state;
	fake.capabilities = CPU(SVM) GUEST("");
	expect("libvirt offers no KVM");
	assert_int_equal(fake.guests, 0);
	fake.capabilities = CPU("<feature name='aes'/>") GUEST(KVM);
	expect("/dev/kvm is there, but the processor shows neither VMX nor SVM");
	assert_int_equal(fake.guests, 0);
	fake.features = "<cpu><feature policy='require' name='vmx'/></cpu>"; /* the model has it */
	expect(NULL);
	assert_int_equal(fake.guests, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_success_is_remembered, works),
		cmocka_unit_test_setup(test_failure_is_not_remembered, works),
		cmocka_unit_test_setup(test_no_guest_without_need, works),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
