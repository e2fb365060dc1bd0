# SPDX-License-Identifier: MIT
# Prints what zsh offers to complete each line of standard input with, one line for each: zsh_offers.zsh FOLDER... The folders
# have the completion functions. zsh completes on a terminal only, so it has one; what it offers passes through compadd.
zmodload zsh/zpty
setup() {
  PROMPT= PS2=
  fpath=("$@" $fpath)
  autoload -Uz compinit && compinit -u -D
  compadd() {
    local -a offered
    # Not a question of the completion functions to themselves, whose answers go into arrays.
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
      builtin compadd -O offered "$@"
      print -rl -- "OFFERED "$^offered
    fi
    builtin compadd "$@"
  }
  bindkey '^I' complete-word
}
zpty shell zsh -f -i
zpty -w shell "$(functions setup); setup ${(j: :)${(q)@}}; print -r -- REA''DY"
zpty -r shell output '*READY*'
while read -r typed; do
  offers=()
  zpty -n -w shell "$typed"$'\t'
  zpty -w shell $'\x15'"print -r -- DO''NE"
  while zpty -r shell line && [[ $line != *DONE* ]]; do
    if [[ $line == *"OFFERED "* ]]; then offers+=(${${line##*OFFERED }%%$'\r'*}); fi
  done
  print -r -- $offers
done
zpty -d shell
