# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154 # our_time, pool, flows and sample_set are assigned in lines that the caller puts before this
# Reports what a host lacks. `dari host check` sends this script to a shell on the host; it changes nothing there.
# Prints a line for each part, with tabs between: dari-check, ok or note or wrong, the part, the finding, the advice.
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
clock_most_s=15 # connecting takes its time, too

# judge PART ADVICE COMMAND…: the command prints its finding; its status is 0 if that is fine, 2 for a note, else wrong.
judge() {
	part=$1 advice=$2
	shift 2
	found=$("$@" 2>&1)
	case $? in
	0) state=ok ;;
	2) state=note ;;
	*) state=wrong ;;
	esac
	printf 'dari-check\t%s\t%s\t%s\t%s\n' "$state" "$part" "$(printf %s "$found" | tr '\n\t' '  ')" "$advice"
}

ovs() { ovs-vsctl --timeout=5 "$@"; }
# Without Open vSwitch nothing is set: look_at_name says what is missing.
external_id() { ! command -v ovs-vsctl >/dev/null || ovs --if-exists get Open_vSwitch . "external_ids:$1" | tr -d '"'; }

look_at_user() {
	id -un
	[ "$(id -u)" = 0 ]
}

look_at_system() {
	id=$(sed -n 's/^ID=//p' /etc/os-release | tr -d '"')
	version_id=$(sed -n 's/^VERSION_ID=//p' /etc/os-release | tr -d '"')
	echo "$id $version_id, $(uname -m)"
	[ "$(uname -m)" = x86_64 ] || return 1
	case "$id $version_id" in
	"debian 12" | "debian 13" | "ubuntu 24.04") ;;
	*) return 2 ;;
	esac
}

look_at_clock() {
	apart=$(($(date +%s) - our_time))
	[ "$apart" -ge 0 ] || apart=$((-apart))
	synchronized=$(timedatectl show --property=NTPSynchronized --value 2>/dev/null)
	if [ "$apart" -gt "$clock_most_s" ]; then
		echo "$apart s from the clock here"
		return 1
	fi
	echo "as here; synchronized: ${synchronized:-unknown}"
	[ "$synchronized" = yes ] || return 2
}

look_at_kvm() {
	if [ -c /dev/kvm ]; then
		echo /dev/kvm
	else
		echo "no /dev/kvm: guests are emulated, and slow"
		return 2
	fi
}

look_at_libvirt() {
	command -v qemu-system-x86_64 >/dev/null || { echo "no qemu-system-x86_64"; return 1; }
	said=$(virsh --connect qemu:///system version 2>&1) || { echo "$said"; return 1; }
	printf '%s\n' "$said" | sed -n 's/^Running hypervisor: //p'
}

look_at_guests_service() {
	state=$(systemctl is-active libvirt-guests.service 2>/dev/null)
	echo "${state:-not there}"
	[ "$state" != active ]
}

look_at_firmware() {
	lack=
	[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || lack="$lack ovmf"
	command -v swtpm >/dev/null || lack="$lack swtpm"
	command -v swtpm_setup >/dev/null || lack="$lack swtpm-tools"
	[ -z "$lack" ] || { echo "lacks$lack"; return 2; }
	echo "UEFI and TPM"
}

look_at_pool() {
	[ -d "$pool" ] || { echo "no directory $pool"; return 1; }
	[ -w "$pool" ] || { echo "$pool cannot be written to"; return 1; }
	room=$(df -Pk "$pool" | awk 'NR == 2 { print int($4 / 1024) " MiB free, " $5 " used" }')
	echo "$pool: $room"
	used=${room#*, }
	[ "${used%%%*}" -lt 97 ]
}

look_at_name() {
	command -v ovs-vsctl >/dev/null || { echo "Open vSwitch is not installed"; return 1; }
	name=$(external_id system-id) || { echo "$name"; return 1; }
	[ -n "$name" ] || { echo "Open vSwitch has no system-id"; return 1; }
	echo "$name"
}

look_at_remote() {
	remote=$(external_id ovn-remote)
	[ -n "$remote" ] || { echo "not set"; return 1; }
	echo "$remote"
}

look_at_tunnels() {
	types=$(external_id ovn-encap-type) address=$(external_id ovn-encap-ip)
	echo "${types:-no ovn-encap-type}, ${address:-no ovn-encap-ip}"
	[ "$types" = geneve ] && [ -n "$address" ] && ip -o address show | tr '/' ' ' | grep -qF " $address "
}

look_at_controller() {
	command -v ovn-appctl >/dev/null || { echo "not installed"; return 1; }
	state=$(ovn-appctl -t ovn-controller connection-status 2>&1)
	echo "$state"
	[ "$state" = connected ]
}

look_at_bridges() {
	mappings=$(external_id ovn-bridge-mappings)
	[ -n "$mappings" ] || { echo "none: this host reaches no external network"; return 2; }
	for mapping in $(echo "$mappings" | tr ',' ' '); do
		ovs br-exists "${mapping#*:}" || { echo "$mapping, but there is no bridge ${mapping#*:}"; return 1; }
	done
	echo "$mappings"
}

look_at_certificate() {
	certificate=/etc/pki/libvirt/servercert.pem
	[ -e "$certificate" ] || { echo "none: only qemu+ssh:// gets in"; return 0; }
	openssl x509 -in "$certificate" -noout -enddate
	openssl x509 -in "$certificate" -noout -checkend 1209600 >/dev/null # two weeks
}

exporter_target() { [ -z "$1" ] || ovs --if-exists get IPFIX "$1" targets | tr -d '[]"'; }
look_at_flows() {
	command -v ovs-vsctl >/dev/null || { echo "Open vSwitch is not installed"; return 1; }
	all=$(exporter_target "$(ovs --if-exists get Bridge br-int ipfix | tr -d '[]')")
	drops=$(exporter_target "$(ovs --bare --columns=ipfix find Flow_Sample_Collector_Set "id=$sample_set")")
	echo "traffic: ${all:-reported to nothing}, drops: ${drops:-reported to nothing}"
	case $flows in
	'0.0.0.0:'* | '[::]:'*) [ -n "$all" ] && [ "${all##*:}" = "${flows##*:}" ] && [ "$drops" = "$all" ] ;;
	*) [ "$all" = "$flows" ] && [ "$drops" = "$flows" ] ;;
	esac
}

judge user 'Log in as root: dari host check root@ADDRESS.' look_at_user
judge system 'Tested hosts are x86_64 with Debian 12, Debian 13 or Ubuntu 24.04.' look_at_system
judge clock 'Certificates and signed requests depend on the clock: apt install chrony.' look_at_clock
judge virtualization "Enable virtualization in the machine's firmware, or nested virtualization in the hypervisor that runs the machine." look_at_kvm
judge libvirt 'apt install dari-host; then libvirtd has to run: systemctl status libvirtd.' look_at_libvirt
judge libvirt-guests 'libvirt-guests shuts guests down with the host, and Dari would leave them off: apt install dari-host, or disable the service, and restart the host while it has no guests.' look_at_guests_service
judge firmware 'Images with UEFI or a TPM cannot start here: apt install the missing packages.' look_at_firmware
judge pool 'Create the directory, or name another one with --pool, here and in dari host add.' look_at_pool
judge system-id "ovs-vsctl set Open_vSwitch . external_ids:system-id=NAME, the host's name in dari host add; without ovs-vsctl: apt install dari-host." look_at_name
judge ovn-remote "ovs-vsctl set Open_vSwitch . external_ids:ovn-remote=tcp:ADDRESS:6642, the address of OVN's southbound database." look_at_remote
judge tunnels 'Set ovn-encap-type to geneve, and ovn-encap-ip to an address of this host that the other hosts can reach.' look_at_tunnels
judge ovn-controller 'See /var/log/ovn/ovn-controller.log: usually ovn-remote does not lead to the southbound database.' look_at_controller
judge bridges 'ovs-vsctl add-br br-ex, add the external interface to it, and map it: external_ids:ovn-bridge-mappings=physnet1:br-ex.' look_at_bridges
[ -z "$flows" ] || judge flows "Flow logs lack this host's traffic: dari host add sets both exporters, to $flows (flow_logs.listen)." look_at_flows
judge certificate 'Renew it: the server cannot reach the host by qemu+tls:// after that.' look_at_certificate
printf 'dari-check\tend\n'
