# SPDX-License-Identifier: BSD-2-Clause
# bash completion for sonde

_sonde()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    # readline breaks words at colons: ":ss" arrives as ":" and "ss"
    if [[ $cur == : || $prev == : ]]; then
        local services='@common @web @mail @db @remote icmp ssh smtp dns http https ntp bgp rdp'
        mapfile -t COMPREPLY < <(compgen -W "$services" -- "${cur#:}")
        return
    fi
    case $prev in
    -F | --filename)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --simulate)
        mapfile -t COMPREPLY < <(compgen -W demo -- "$cur"; compgen -f -- "$cur")
        return
        ;;
    -I | --interface)
        mapfile -t COMPREPLY < <(compgen -W "$(command ls /sys/class/net 2>/dev/null)" -- "$cur")
        return
        ;;
    --color)
        mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
        return
        ;;
    esac
    if [[ $cur == -* ]]; then
        local options='--ipv4 --ipv6 --filename --all-addresses --many --services --tcp --udp
            --port --no-icmp --no-control --payload --expect-reply
            --first-ttl --max-ttl --max-unknown --psize --bitpattern --tos
            --address --interface --localport --mark --unprivileged --report-cycles --interval --timeout
            --deadline --rate --expect --warn --crit --report --report-wide --json --quiet --no-dns --show-ips --mpls
            --color --ascii --print-schema --simulate --virtual-time --doctor --help --version'
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
}

complete -F _sonde sonde
