;; Resizing with four taps, in whole numbers and in floats. resize-kernels.ts says what each does.
;; After a change: npx --package=wabt@1.0.39 wat2wasm resize-kernels.wat --output=kernels.wasm
;; and base64 -w0 kernels.wasm, in double quotes, into resize-kernels.generated.json.
(module
  (memory (export "memory") 1)

  ;; Four outputs at a time: their taps are 4 offsets (i32), then 4 x 4 weights (i16).
  (func (export "alongRow8") (param $from i32) (param $to i32) (param $taps i32) (param $groups i32) (param $precision i32)
    (local $bytes v128) (local $sums v128) (local $more v128) (local $half v128)
    (local.set $half (i32x4.splat (i32.shl (i32.const 1) (i32.sub (local.get $precision) (i32.const 1)))))
    (loop $next
      (local.set $bytes (v128.load32_zero (i32.add (local.get $from) (i32.load (local.get $taps)))))
      (local.set $bytes
        (v128.load32_lane 1 (i32.add (local.get $from) (i32.load offset=4 (local.get $taps))) (local.get $bytes)))
      (local.set $bytes
        (v128.load32_lane 2 (i32.add (local.get $from) (i32.load offset=8 (local.get $taps))) (local.get $bytes)))
      (local.set $bytes
        (v128.load32_lane 3 (i32.add (local.get $from) (i32.load offset=12 (local.get $taps))) (local.get $bytes)))
      (local.set $sums
        (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $bytes)) (v128.load offset=16 (local.get $taps))))
      (local.set $more
        (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $bytes)) (v128.load offset=32 (local.get $taps))))
      (local.set $sums
        (i32x4.add
          (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $sums) (local.get $more))
          (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $sums) (local.get $more))))
      (local.set $sums (i32x4.shr_s (i32x4.add (local.get $sums) (local.get $half)) (local.get $precision)))
      (local.set $sums (i16x8.narrow_i32x4_s (local.get $sums) (local.get $sums)))
      (v128.store32_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $sums) (local.get $sums)))
      (local.set $taps (i32.add (local.get $taps) (i32.const 48)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; Sixteen outputs at a time, of four rows; weights as two pairs of i16.
  (func (export "acrossRows8") (param $a i32) (param $b i32) (param $c i32) (param $d i32) (param $to i32)
    (param $groups i32) (param $weightsAB i32) (param $weightsCD i32) (param $precision i32)
    (local $ab v128) (local $cd v128) (local $half v128) (local $low v128) (local $high v128)
    (local $pairAB v128) (local $pairCD v128) (local $first v128)
    (local.set $half (i32x4.splat (i32.shl (i32.const 1) (i32.sub (local.get $precision) (i32.const 1)))))
    (local.set $pairAB (i32x4.splat (local.get $weightsAB)))
    (local.set $pairCD (i32x4.splat (local.get $weightsCD)))
    (loop $next
      (local.set $ab
        (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (v128.load (local.get $a)) (v128.load (local.get $b))))
      (local.set $cd
        (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (v128.load (local.get $c)) (v128.load (local.get $d))))
      (local.set $low
        (i32x4.add
          (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $ab)) (local.get $pairAB))
          (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $cd)) (local.get $pairCD))))
      (local.set $high
        (i32x4.add
          (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $ab)) (local.get $pairAB))
          (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $cd)) (local.get $pairCD))))
      (local.set $first
        (i16x8.narrow_i32x4_s
          (i32x4.shr_s (i32x4.add (local.get $low) (local.get $half)) (local.get $precision))
          (i32x4.shr_s (i32x4.add (local.get $high) (local.get $half)) (local.get $precision))))
      (local.set $ab
        (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31
          (v128.load (local.get $a)) (v128.load (local.get $b))))
      (local.set $cd
        (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31
          (v128.load (local.get $c)) (v128.load (local.get $d))))
      (local.set $low
        (i32x4.add
          (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $ab)) (local.get $pairAB))
          (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $cd)) (local.get $pairCD))))
      (local.set $high
        (i32x4.add
          (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $ab)) (local.get $pairAB))
          (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $cd)) (local.get $pairCD))))
      (v128.store (local.get $to)
        (i8x16.narrow_i16x8_u (local.get $first)
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (i32x4.add (local.get $low) (local.get $half)) (local.get $precision))
            (i32x4.shr_s (i32x4.add (local.get $high) (local.get $half)) (local.get $precision)))))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (local.set $c (i32.add (local.get $c) (i32.const 16)))
      (local.set $d (i32.add (local.get $d) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; Four outputs at a time: their taps are 4 offsets (i32), then 4 x 4 weights (f32).
  (func (export "alongRow32") (param $from i32) (param $to i32) (param $taps i32) (param $groups i32)
    (local $p v128) (local $q v128) (local $r v128) (local $s v128)
    (local $low v128) (local $high v128) (local $odd v128) (local $even v128)
    (loop $next
      (local.set $p
        (f32x4.mul (v128.load (i32.add (local.get $from) (i32.load (local.get $taps))))
          (v128.load offset=16 (local.get $taps))))
      (local.set $q
        (f32x4.mul (v128.load (i32.add (local.get $from) (i32.load offset=4 (local.get $taps))))
          (v128.load offset=32 (local.get $taps))))
      (local.set $r
        (f32x4.mul (v128.load (i32.add (local.get $from) (i32.load offset=8 (local.get $taps))))
          (v128.load offset=48 (local.get $taps))))
      (local.set $s
        (f32x4.mul (v128.load (i32.add (local.get $from) (i32.load offset=12 (local.get $taps))))
          (v128.load offset=64 (local.get $taps))))
      ;; Each vector has the four products of one output; summed in order, they have to stand the other way round.
      (local.set $low (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $p) (local.get $q)))
      (local.set $high (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $r) (local.get $s)))
      (local.set $even (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $p) (local.get $q)))
      (local.set $odd (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $r) (local.get $s)))
      (v128.store (local.get $to)
        (f32x4.add
          (f32x4.add
            (f32x4.add
              (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $low) (local.get $high))
              (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $low) (local.get $high)))
            (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $even) (local.get $odd)))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $even) (local.get $odd))))
      (local.set $taps (i32.add (local.get $taps) (i32.const 80)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; Four outputs at a time, of four rows.
  (func (export "acrossRows32") (param $a i32) (param $b i32) (param $c i32) (param $d i32) (param $to i32)
    (param $groups i32) (param $wa f32) (param $wb f32) (param $wc f32) (param $wd f32)
    (local $va v128) (local $vb v128) (local $vc v128) (local $vd v128)
    (local.set $va (f32x4.splat (local.get $wa)))
    (local.set $vb (f32x4.splat (local.get $wb)))
    (local.set $vc (f32x4.splat (local.get $wc)))
    (local.set $vd (f32x4.splat (local.get $wd)))
    (loop $next
      (v128.store (local.get $to)
        (f32x4.add
          (f32x4.add
            (f32x4.add
              (f32x4.mul (v128.load (local.get $a)) (local.get $va))
              (f32x4.mul (v128.load (local.get $b)) (local.get $vb)))
            (f32x4.mul (v128.load (local.get $c)) (local.get $vc)))
          (f32x4.mul (v128.load (local.get $d)) (local.get $vd))))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (local.set $c (i32.add (local.get $c) (i32.const 16)))
      (local.set $d (i32.add (local.get $d) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; Of four rows of floats, the first and the last column where what is upsampled from there and the next three may be above
  ;; cut: (last << 16) + first, or -1. overshoot: how far beyond its range a cubic may go, in ranges. highest, lowest: room for a
  ;; row, with -Infinity and Infinity behind it.
  (func (export "reach") (param $a i32) (param $b i32) (param $c i32) (param $d i32) (param $highest i32) (param $lowest i32)
    (param $groups i32) (param $overshoot f32) (param $cut f32) (result i32)
    (local $high v128) (local $low v128) (local $cuts v128) (local $overshoots v128) (local $rounding v128)
    (local $bits i32) (local $n i32) (local $first i32) (local $last i32)
    (local.set $cuts (f32x4.splat (local.get $cut)))
    (local.set $overshoots (f32x4.splat (local.get $overshoot)))
    ;; Far more than sums of 16 products are rounded by.
    (local.set $rounding (f32x4.splat (f32.const 1e-5)))
    (local.set $first (i32.const -1))
    (loop $next
      (v128.store (i32.add (local.get $highest) (local.get $n))
        (f32x4.pmax
          (f32x4.pmax
            (v128.load (i32.add (local.get $a) (local.get $n))) (v128.load (i32.add (local.get $b) (local.get $n))))
          (f32x4.pmax
            (v128.load (i32.add (local.get $c) (local.get $n))) (v128.load (i32.add (local.get $d) (local.get $n))))))
      (v128.store (i32.add (local.get $lowest) (local.get $n))
        (f32x4.pmin
          (f32x4.pmin
            (v128.load (i32.add (local.get $a) (local.get $n))) (v128.load (i32.add (local.get $b) (local.get $n))))
          (f32x4.pmin
            (v128.load (i32.add (local.get $c) (local.get $n))) (v128.load (i32.add (local.get $d) (local.get $n))))))
      (local.set $n (i32.add (local.get $n) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $n) (i32.shl (local.get $groups) (i32.const 4)))))
    (local.set $n (i32.const 0))
    (loop $next
      (local.set $high
        (f32x4.pmax
          (f32x4.pmax (v128.load (local.get $highest)) (v128.load offset=4 (local.get $highest)))
          (f32x4.pmax (v128.load offset=8 (local.get $highest)) (v128.load offset=12 (local.get $highest)))))
      (local.set $low
        (f32x4.pmin
          (f32x4.pmin (v128.load (local.get $lowest)) (v128.load offset=4 (local.get $lowest)))
          (f32x4.pmin (v128.load offset=8 (local.get $lowest)) (v128.load offset=12 (local.get $lowest)))))
      ;; Not "above": of infinities the bound is no number.
      (local.set $bits
        (i32.xor (i32.const 15)
          (i32x4.bitmask
            (f32x4.le
              (f32x4.add
                (f32x4.add (local.get $high)
                  (f32x4.mul (f32x4.sub (local.get $high) (local.get $low)) (local.get $overshoots)))
                (f32x4.mul (f32x4.add (f32x4.abs (local.get $high)) (f32x4.abs (local.get $low))) (local.get $rounding)))
              (local.get $cuts)))))
      (if (local.get $bits)
        (then
          (if (i32.lt_s (local.get $first) (i32.const 0))
            (then (local.set $first (i32.add (local.get $n) (i32.ctz (local.get $bits))))))
          (local.set $last (i32.add (local.get $n) (i32.sub (i32.const 31) (i32.clz (local.get $bits)))))))
      (local.set $highest (i32.add (local.get $highest) (i32.const 16)))
      (local.set $lowest (i32.add (local.get $lowest) (i32.const 16)))
      (local.set $n (i32.add (local.get $n) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $n) (i32.shl (local.get $groups) (i32.const 2)))))
    (if (result i32) (i32.lt_s (local.get $first) (i32.const 0))
      (then (i32.const -1))
      (else (i32.or (i32.shl (local.get $last) (i32.const 16)) (local.get $first)))))

  ;; A bit for each float, sixteen at a time: whether it is above cut.
  (func (export "bitsAbove") (param $from i32) (param $to i32) (param $groups i32) (param $cut f32)
    (local $cuts v128)
    (local.set $cuts (f32x4.splat (local.get $cut)))
    (loop $next
      (i32.store16 (local.get $to)
        (i8x16.bitmask
          (i8x16.narrow_i16x8_s
            (i16x8.narrow_i32x4_s
              (f32x4.gt (v128.load (local.get $from)) (local.get $cuts))
              (f32x4.gt (v128.load offset=16 (local.get $from)) (local.get $cuts)))
            (i16x8.narrow_i32x4_s
              (f32x4.gt (v128.load offset=32 (local.get $from)) (local.get $cuts))
              (f32x4.gt (v128.load offset=48 (local.get $from)) (local.get $cuts))))))
      (local.set $from (i32.add (local.get $from) (i32.const 64)))
      (local.set $to (i32.add (local.get $to) (i32.const 2)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; The same for numbers (i32) that are one.
  (func (export "bitsEqual") (param $from i32) (param $to i32) (param $groups i32) (param $one i32)
    (local $ones v128)
    (local.set $ones (i32x4.splat (local.get $one)))
    (loop $next
      (i32.store16 (local.get $to)
        (i8x16.bitmask
          (i8x16.narrow_i16x8_s
            (i16x8.narrow_i32x4_s
              (i32x4.eq (v128.load (local.get $from)) (local.get $ones))
              (i32x4.eq (v128.load offset=16 (local.get $from)) (local.get $ones)))
            (i16x8.narrow_i32x4_s
              (i32x4.eq (v128.load offset=32 (local.get $from)) (local.get $ones))
              (i32x4.eq (v128.load offset=48 (local.get $from)) (local.get $ones))))))
      (local.set $from (i32.add (local.get $from) (i32.const 64)))
      (local.set $to (i32.add (local.get $to) (i32.const 2)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; Bytes of 0 or 1 for bits, sixteen at a time.
  (func (export "bytesOfBits") (param $from i32) (param $to i32) (param $groups i32)
    (local $bits v128)
    (loop $next
      (local.set $bits (v128.load16_splat (local.get $from)))
      (v128.store (local.get $to)
        (i8x16.min_u
          (v128.and
            (i8x16.shuffle 0 0 0 0 0 0 0 0 1 1 1 1 1 1 1 1 (local.get $bits) (local.get $bits))
            (v128.const i8x16 1 2 4 8 16 32 64 -128 1 2 4 8 16 32 64 -128))
          (v128.const i8x16 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1)))
      (local.set $from (i32.add (local.get $from) (i32.const 2)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; How many bits are 1 in both, in groups of 128.
  (func (export "commonBits") (param $a i32) (param $b i32) (param $groups i32) (result i32)
    (local $sums v128)
    (loop $next
      (local.set $sums
        (i32x4.add (local.get $sums)
          (i32x4.extadd_pairwise_i16x8_u
            (i16x8.extadd_pairwise_i8x16_u
              (i8x16.popcnt (v128.and (v128.load (local.get $a)) (v128.load (local.get $b))))))))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $sums)) (i32x4.extract_lane 1 (local.get $sums)))
      (i32.add (i32x4.extract_lane 2 (local.get $sums)) (i32x4.extract_lane 3 (local.get $sums)))))

  ;; Adds bits to those that were there once, and to those that were there before, in groups of 128; returns 1 where any was.
  (func (export "addBits") (param $bits i32) (param $once i32) (param $again i32) (param $groups i32) (result i32)
    (local $one v128) (local $both v128) (local $any v128)
    (loop $next
      (local.set $one (v128.load (local.get $bits)))
      (local.set $both (v128.and (local.get $one) (v128.load (local.get $once))))
      (local.set $any (v128.or (local.get $any) (local.get $both)))
      (v128.store (local.get $again) (v128.or (local.get $both) (v128.load (local.get $again))))
      (v128.store (local.get $once) (v128.or (local.get $one) (v128.load (local.get $once))))
      (local.set $bits (i32.add (local.get $bits) (i32.const 16)))
      (local.set $once (i32.add (local.get $once) (i32.const 16)))
      (local.set $again (i32.add (local.get $again) (i32.const 16)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
    (v128.any_true (local.get $any)))

  ;; Where logits are above cut and above the best so far they become the best, and the label is theirs (i32), four at a time.
  ;; Left as it was where the two are so near, or so large, that their probabilities may round to one number; returns 1 then.
  (func (export "contend") (param $from i32) (param $best i32) (param $labels i32) (param $groups i32) (param $cut f32)
    (param $label i32) (result i32)
    (local $logits v128) (local $bests v128) (local $above v128) (local $wins v128) (local $unsure v128)
    (local $cuts v128) (local $all v128)
    (local.set $cuts (f32x4.splat (local.get $cut)))
    (local.set $all (i32x4.splat (local.get $label)))
    (loop $next
      (local.set $logits (v128.load (local.get $from)))
      (local.set $bests (v128.load (local.get $best)))
      (local.set $above
        (v128.and (f32x4.gt (local.get $logits) (local.get $cuts)) (f32x4.gt (local.get $logits) (local.get $bests))))
      ;; Between -60 and 7 logits that are 2^-12 apart have probabilities that are two roundings apart.
      (local.set $wins
        (v128.and (local.get $above)
          (v128.or
            (f32x4.eq (local.get $bests) (f32x4.splat (f32.const -inf)))
            (v128.and
              (v128.and
                (f32x4.ge (local.get $bests) (f32x4.splat (f32.const -60)))
                (f32x4.le (local.get $bests) (f32x4.splat (f32.const 7))))
              (f32x4.ge (local.get $logits)
                (f32x4.add (local.get $bests) (f32x4.splat (f32.const 0x1p-12))))))))
      (local.set $unsure (v128.or (local.get $unsure) (v128.andnot (local.get $above) (local.get $wins))))
      (v128.store (local.get $best) (v128.bitselect (local.get $logits) (local.get $bests) (local.get $wins)))
      (v128.store (local.get $labels)
        (v128.bitselect (local.get $all) (v128.load (local.get $labels)) (local.get $wins)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $best (i32.add (local.get $best) (i32.const 16)))
      (local.set $labels (i32.add (local.get $labels) (i32.const 16)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
    (v128.any_true (local.get $unsure)))

  ;; Grey levels of logits: first[step] or the one above, where the logit lies beyond last[level] (f32).
  (func (export "greys") (param $from i32) (param $to i32) (param $count i32) (param $first i32) (param $last i32)
    (param $limit f32) (param $stepsPerLogit f32)
    (local $logit f32) (local $level i32) (local $end i32)
    (local.set $end (i32.add (local.get $to) (local.get $count)))
    (loop $next
      (local.set $logit (f32.load (local.get $from)))
      (local.set $level
        (i32.load8_u
          (i32.add (local.get $first)
            (i32.trunc_sat_f32_s
              (f32.mul
                (f32.add (f32.max (f32.min (local.get $logit) (local.get $limit)) (f32.neg (local.get $limit)))
                  (local.get $limit))
                (local.get $stepsPerLogit))))))
      (i32.store8 (local.get $to)
        (i32.add (local.get $level)
          (f32.gt (local.get $logit)
            (f32.load (i32.add (local.get $last) (i32.shl (local.get $level) (i32.const 2)))))))
      (local.set $from (i32.add (local.get $from) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $to) (local.get $end)))))
)
