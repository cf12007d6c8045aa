import { html } from './html.js';

/** The lake at night: a drawing in the page itself, because nothing may be loaded. */
export const SCENE = html`<svg
  class="scene"
  viewBox="0 0 400 232"
  role="img"
  aria-label="月夜西湖，一只游船 A boat on West Lake by moonlight"
>
  <defs>
    <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="#141a45" />
      <stop offset=".7" stop-color="#4a4a86" />
      <stop offset="1" stop-color="#c4836f" />
    </linearGradient>
    <linearGradient id="lake" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="#8d6a80" />
      <stop offset=".35" stop-color="#3b3f78" />
      <stop offset="1" stop-color="#11163a" />
    </linearGradient>
  </defs>
  <rect width="400" height="150" fill="url(#sky)" />
  <g fill="#fdf6df">
    <circle cx="308" cy="52" r="24" />
    <circle cx="40" cy="34" r="1.2" />
    <circle cx="96" cy="20" r="1" />
    <circle cx="142" cy="58" r="1.2" />
    <circle cx="204" cy="26" r="1" />
    <circle cx="238" cy="64" r="1" />
    <circle cx="366" cy="88" r="1.1" />
    <circle cx="66" cy="72" r=".9" />
  </g>
  <path d="M0 128 Q36 96 84 112 T166 104 T252 116 T330 98 T400 116 V150 H0Z" fill="#343a72" />
  <path d="M0 140 Q50 116 104 132 T206 128 T300 136 T400 126 V150 H0Z" fill="#23295a" />
  <g fill="#191d45">
    <path d="M82 134 L86 92 H98 L102 134Z" />
    <path d="M79 124 Q92 116 105 124 L101 117 H83Z" />
    <path d="M81 112 Q92 104 103 112 L99 105 H85Z" />
    <path d="M82 101 Q92 93 102 101 L98 94 H86Z" />
    <path d="M85 92 Q92 84 99 92 L92 74Z" />
  </g>
  <rect y="150" width="400" height="82" fill="url(#lake)" />
  <g fill="#fdf6df">
    <rect x="284" y="158" width="48" height="2.4" rx="1.2" opacity=".8" />
    <rect x="292" y="167" width="34" height="2.2" rx="1.1" opacity=".65" />
    <rect x="280" y="177" width="44" height="2.2" rx="1.1" opacity=".5" />
    <rect x="296" y="188" width="28" height="2" rx="1" opacity=".4" />
    <rect x="288" y="200" width="40" height="2" rx="1" opacity=".25" />
  </g>
  <g>
    <path d="M142 184 Q200 198 262 182 Q252 206 232 206 H172 Q152 206 142 184Z" fill="#0b0e28" />
    <path d="M166 186 Q168 158 202 157 Q236 158 238 185 Q202 193 166 186Z" fill="#5b2e36" />
    <path d="M166 186 Q168 158 202 157 Q236 158 238 185" fill="none" stroke="#d9a066" stroke-width="2" />
    <path d="M186 188 V172 Q202 164 218 172 V188 Q202 191 186 188Z" fill="#ffcf7a" />
    <path d="M202 168 V190 M186 179 Q202 176 218 179" stroke="#5b2e36" stroke-width="1.6" fill="none" />
    <path d="M252 184 V166" stroke="#d9a066" stroke-width="1.6" />
    <circle cx="252" cy="164" r="4" fill="#ffb65c" />
  </g>
  <g fill="#ffcf7a">
    <rect x="182" y="211" width="42" height="2" rx="1" opacity=".55" />
    <rect x="190" y="218" width="28" height="1.8" rx=".9" opacity=".35" />
  </g>
</svg>`;
