#!/usr/bin/env bash
# Trains a small run on two machines made of network namespaces, over Open MPI, MPICH and TCP, and compares every weight with that of two
# processes of this machine. The two have no network in common but the pair of cards between them, and are called host-a and host-b.
#   tests/two-hosts.sh [train options...]
# Needs root, iproute2, util-linux, Open MPI or MPICH (apt-get install openmpi-bin mpich) and a Release build of engine/Rpat.Trainer.
set -euo pipefail
cd "$(dirname "$0")/.."
program="dotnet $PWD/engine/Rpat.Trainer/bin/Release/net10.0/rpat.dll"
work=$(mktemp -d)
a=rpat-a-$$ b=rpat-b-$$

cleanup() {
  ip netns del "$a" 2>/dev/null || true
  ip netns del "$b" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

ip netns add "$a"
ip netns add "$b"
ip link add veth0 netns "$a" type veth peer name veth0 netns "$b"
ip -n "$a" addr add 10.77.0.1/24 dev veth0
ip -n "$b" addr add 10.77.0.2/24 dev veth0
for side in a b; do
  ip -n "${!side}" link set lo up
  ip -n "${!side}" link set veth0 up
done

# on SIDE COMMAND...: runs on one of the two, which has a name and a file of hosts of its own
printf '127.0.0.1 localhost\n10.77.0.1 host-a\n10.77.0.2 host-b\n' >"$work/hosts"
cat >"$work/on" <<END
#!/usr/bin/env bash
side=\$1; shift
case \$side in host-a|a) space=$a name=host-a;; *) space=$b name=host-b;; esac
exec ip netns exec "\$space" unshare --uts --mount bash -c 'hostname '"\$name"'; mount --bind "$work/hosts" /etc/hosts; exec "\$@"' on "\$@"
END
# What the launchers use in place of ssh: [OPTIONS] HOST COMMAND-LINE.
cat >"$work/agent" <<END
#!/usr/bin/env bash
while [[ \$1 == -* ]]; do shift; done
host=\$1; shift
exec "$work/on" "\$host" bash -c "\$*"
END
chmod +x "$work/on" "$work/agent"

options=(train --recipe fashion-quick --set model.width=4 --set attack.steps=2 --set train.max_steps=8 --set eval.n=50 -b 20 -j 1 --name a
  --progress none "$@")
export RPAT_TEAM_SECRET=between-two-hosts

weights() { sha256sum <"$(ls -d "$work/$1"/[0-9]*)/model.safetensors"; }

echo "one machine, two processes"
$program "${options[@]}" --nproc 2 --out "$work/one" >/dev/null

ways=(tcp)
if command -v mpirun.openmpi >/dev/null; then
  echo "two machines, Open MPI"
  "$work/on" a mpirun.openmpi --allow-run-as-root --host host-a,host-b -n 2 --mca plm_rsh_agent "$work/agent" --mca btl tcp,self \
    --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 $program "${options[@]}" --out "$work/openmpi" >/dev/null
  ways+=(openmpi)
fi
if command -v mpirun.mpich >/dev/null; then
  echo "two machines, MPICH"
  UCX_TLS=tcp,self UCX_NET_DEVICES=veth0 "$work/on" a mpirun.mpich -launcher ssh -launcher-exec "$work/agent" -hosts host-a,host-b -n 2 \
    $program "${options[@]}" --out "$work/mpich" >/dev/null
  ways+=(mpich)
fi

echo "two machines, TCP"
export WORLD_SIZE=2 MASTER_ADDR=10.77.0.1 LOCAL_RANK=0 LOCAL_WORLD_SIZE=1
RANK=1 "$work/on" b $program "${options[@]}" --out "$work/tcp" >/dev/null &
RANK=0 "$work/on" a $program "${options[@]}" --out "$work/tcp" >/dev/null
wait

for way in "${ways[@]}"; do
  [ "$(weights one)" = "$(weights "$way")" ] || { echo "$way: other weights"; exit 1; }
  grep -h -o 'rank 0 (number 0 of this machine.s [0-9]*), over [^;]*' "$work/$way"/[0-9]*/log.txt | head -1
done
echo "the same weights: $(weights one | cut -c1-16)"
