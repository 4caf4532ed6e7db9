/* SPDX-License-Identifier: Apache-2.0
 * Decides whether KVM works. libvirt's claim is not enough: /dev/kvm may exist and guests still hang on it,
 * e.g. where the host itself is a guest without nested virtualisation. Three steps: libvirt offers KVM; the
 * processor has VMX or SVM; and a diskless guest of 32 MiB, configured to reboot when nothing is bootable and
 * to end on reboot, ends in time, which requires its firmware to have run through. This takes a tenth of a
 * second. A success is remembered on the host until its next boot, as a file beside the boot marker; a
 * failure is retried with the next connection. */
#include "base/clock.h"
#include "base/heap.h"
#include "drivers/libvirt/host.h"
#include "model/host.h"

static const int64_t PROOF_US = 8 * SECOND;
static const char proven_name[] = "kvm-proven";

/* ---- what is known already */

static virStoragePoolPtr find_marker_pool(struct compute_host *h, struct ctx *c)
{
	struct str name = str_print(c->arena, "dari-%s-boot-%s", h->region_text, h->boot_id);
	return name.p ? virStoragePoolLookupByName(h->conn, name.p) : NULL;
}

static bool was_proven(struct compute_host *h, struct ctx *c)
{
	AUTO_POOL p = find_marker_pool(h, c);
	AUTO_VOLUME v = p ? virStorageVolLookupByName(p, proven_name) : NULL;
	return v != NULL;
}

/* Failure is harmless: the proof is repeated. */
static void remember_proof(struct compute_host *h, struct ctx *c)
{
	AUTO_POOL p = find_marker_pool(h, c);
	struct str xml =
		str_print(c->arena, "<volume><name>%s</name><capacity>0</capacity></volume>", proven_name);
	AUTO_VOLUME v = p && xml.p ? virStorageVolCreateXML(p, xml.p, 0) : NULL;
	(void) v;
}

/* ---- the processor */

/* Checks the host's CPU with its model's features expanded. */
static bool has_virtualisation(struct compute_host *h, struct ctx *c, struct str capabilities)
{
	size_t from = 0, to = 0;
	while (from < capabilities.n &&
	       !str_starts_with(str_slice(capabilities, from, capabilities.n), STR("<cpu>")))
		from = str_find_char(capabilities, '<', from + 1);
	for (to = from; to < capabilities.n; to = str_find_char(capabilities, '<', to + 1))
		if (str_starts_with(str_slice(capabilities, to, capabilities.n), STR("</cpu>")))
			break;
	const char *cpu = str_to_z(c->arena, str_slice(capabilities, from, to + strlen("</cpu>")));
	AUTO_TEXT spelled = virConnectBaselineCPU(h->conn, &cpu, 1, VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
	struct str all[] = {str_from(cpu), str_from(spelled)};
	for (size_t k = 0; k < 2; k++)
		if (str_contains(all[k], STR("name='vmx'")) || str_contains(all[k], STR("name='svm'")))
			return true;
	return false;
}

/* ---- the proof */

static RESULT write_guest(struct ctx *c, uuid id, struct str *ret_xml)
{
	char text[UUID_TEXT_SIZE];
	uuid_write(id, text);
	*ret_xml = str_print(
		c->arena,
		"<domain type='kvm'><name>dari-proof-%.8s</name><uuid>%s</uuid>"
		"<memory unit='MiB'>32</memory><vcpu>1</vcpu>"
		"<os><type arch='x86_64' machine='q35'>hvm</type><boot dev='hd'/><bios "
		"rebootTimeout='0'/></os>"
		"<features><acpi/></features><cpu mode='host-passthrough' check='none'/>"
		"<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>"
		"<devices><controller type='usb' model='none'/><memballoon model='none'/></devices></domain>",
		text, text);
	return ret_xml->p ? OK : ctx_no_memory(c);
}

/* Returns how the guest ended (virDomainEventStoppedDetailType); -1: not in time. */
static int await_end(struct compute_host *h)
{
	int64_t deadline_us = clock_system_us() + PROOF_US;
	pthread_mutex_lock(&h->lock);
	while (h->proof_detail < 0 && clock_system_us() < deadline_us && !atomic_load(&h->is_gone))
		libvirt_wait(&h->ended, &h->lock, deadline_us);
	int detail = h->proof_detail;
	h->proof = UUID_NONE;
	pthread_mutex_unlock(&h->lock);
	return detail;
}

/* ret_refusal: the reason in words; empty: KVM works. */
static RESULT run_guest(struct compute_host *h, struct ctx *c, struct str *ret_refusal)
{
	struct str xml = STR_NONE;
	uuid id = uuid_random();
	TRY(write_guest(c, id, &xml));
	pthread_mutex_lock(&h->lock);
	h->proof = id;
	h->proof_detail = -1;
	pthread_mutex_unlock(&h->lock);
	AUTO_DOMAIN d = virDomainCreateXML(h->conn, xml.p, VIR_DOMAIN_START_AUTODESTROY);
	if (!d) {
		*ret_refusal =
			str_print(c->arena, "a guest with KVM does not start: %s", virGetLastErrorMessage());
		return libvirt_check_alive(h, c);
	}
	int detail = await_end(h);
	if (detail < 0)
		virDomainDestroy(d); /* the connection's end would do this too */
	TRY(libvirt_check_alive(h, c));
	if (detail < 0)
		*ret_refusal = STR("a guest with KVM hangs: it did not run its firmware through in 8 s");
	else if (detail != VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN)
		*ret_refusal = STR("a guest with KVM crashes");
	return OK;
}

static RESULT find_refusal(struct compute_host *h, struct ctx *c, struct str *ret_refusal)
{
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT text = virConnectGetCapabilities(h->conn);
	if (!text)
		return libvirt_fail(h, c, "asking host %s what it can run", h->name);
	TRY(xml_tree_parse(c, str_from(text), &t));
	*ret_refusal = STR_NONE;
	if (!xml_tree_find(c, t, "//guest/arch[@name='x86_64']/domain[@type='kvm']/@type").n) {
		*ret_refusal = STR("libvirt offers no KVM: no /dev/kvm on the host");
		return OK;
	}
	if (was_proven(h, c))
		return OK;
	if (!has_virtualisation(h, c, str_from(text))) {
		*ret_refusal = STR("/dev/kvm is there, but the processor shows neither VMX nor SVM");
		return OK;
	}
	TRY(run_guest(h, c, ret_refusal));
	if (!ret_refusal->n)
		remember_proof(h, c);
	return OK;
}

RESULT libvirt_need_virt(struct compute_host *h, struct ctx *c)
{
	struct str refusal = STR_NONE;
	if (h->virt != HOST_SEEN_VIRT_UNKNOWN)
		return OK;
	if (!h->boot_id[0])
		TRY(libvirt_find_boot_id(h, c));
	TRY(find_refusal(h, c, &refusal));
	if (refusal.n) {
		h->virt_reason = heap_copy_z(str_to_z(c->arena, refusal));
		if (!h->virt_reason)
			return ctx_no_memory(c);
	}
	h->virt = refusal.n ? HOST_SEEN_VIRT_TCG : HOST_SEEN_VIRT_KVM;
	return OK;
}
