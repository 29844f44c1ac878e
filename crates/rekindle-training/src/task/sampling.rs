//! Texts that a language model makes up.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rekindle_data::Vocabulary;

use crate::network::Input;
use crate::{EncoderState, Network};

/// How a language model goes on with a text.
///
/// Each token is drawn from the softmax of the scores over the temperature, among the `top_k` best ones; the unknown token is
/// never drawn. The same seed gives the same text on one backend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// How many tokens are added. Default: 500.
    pub length: usize,
    /// What scores are divided by, at least 0: below 1 likely tokens become likelier, 0 always takes the likeliest.
    /// Default: 1.
    pub temperature: f64,
    /// How many of the best tokens are drawn from; 0: all. Default: 0.
    pub top_k: usize,
    /// Where the random numbers start. Default: 0.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            length: 500,
            temperature: 1.0,
            top_k: 0,
            seed: 0,
        }
    }
}

impl Sampling {
    /// What follows a prompt. An empty one stands for the end of a line.
    ///
    /// # Panics
    /// If the temperature is negative or not finite.
    pub(crate) fn go_on(
        &self,
        network: &Network,
        vocabulary: &Vocabulary,
        prompt: &str,
        device: &Device,
    ) -> String {
        let valid = self.temperature >= 0.0 && self.temperature.is_finite();
        assert!(
            valid,
            "temperature is {}, expected at least 0",
            self.temperature
        );
        let mut rng = StdRng::seed_from_u64(self.seed);
        let mut read = match prompt.is_empty() {
            true => vocabulary.encode("\n"),
            false => vocabulary.encode(prompt),
        };
        let mut state: Option<EncoderState> = None;
        let mut made = Vec::with_capacity(self.length);
        while made.len() < self.length {
            let (scores, next) = last_scores(network, &read, state.take(), device);
            let token = self.draw(&scores, &mut rng);
            state = Some(next);
            made.push(token);
            read = vec![token];
        }
        vocabulary.decode(&made)
    }

    /// One of the tokens with these scores.
    fn draw(&self, scores: &[f64], rng: &mut StdRng) -> u32 {
        let mut order: Vec<usize> = (1..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        if self.top_k > 0 {
            order.truncate(self.top_k);
        }
        let Some(&best) = order.first() else {
            return 0;
        };
        if self.temperature == 0.0 {
            return best as u32;
        }
        let weight = |&token: &usize| ((scores[token] - scores[best]) / self.temperature).exp();
        let weights: Vec<f64> = order.iter().map(weight).collect();
        let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
        let drawn = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        order[drawn.unwrap_or(0)] as u32
    }
}

/// The scores of the token after the last of these, and the state behind it.
fn last_scores(
    network: &Network,
    tokens: &[u32],
    state: Option<EncoderState>,
    device: &Device,
) -> (Vec<f64>, EncoderState) {
    let numbers: Vec<i64> = tokens.iter().map(|&token| i64::from(token)).collect();
    let data = TensorData::new(numbers, [1, tokens.len()]);
    let input = Input::Tokens(Tensor::<2, Int>::from_data(data, device));
    let scored = network.score(input, &[tokens.len()], state);
    let last = scored.scores.narrow(0, tokens.len() - 1, 1).into_data();
    (last.iter::<f64>().collect(), scored.state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_drawn_by_their_probabilities() {
        // Of tokens 1, 2 and 3 with the shares 6/10, 3/10 and 1/10; token 0 is never drawn.
        let scores = [9.0, 6.0_f64.ln(), 3.0_f64.ln(), 0.0];
        let mut rng = StdRng::seed_from_u64(1);
        let share = |sampling: Sampling, rng: &mut StdRng| {
            let mut counts = [0.0; 4];
            for _ in 0..20_000 {
                counts[sampling.draw(&scores, rng) as usize] += 1.0 / 20_000.0;
            }
            counts
        };
        let close = |found: [f64; 4], expected: [f64; 4]| {
            let near = found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 0.015);
            assert!(near, "{found:?}, expected {expected:?}");
        };
        let all = Sampling::default();
        close(share(all, &mut rng), [0.0, 0.6, 0.3, 0.1]);
        let top_k = Sampling { top_k: 2, ..all };
        close(share(top_k, &mut rng), [0.0, 2.0 / 3.0, 1.0 / 3.0, 0.0]);
        // Half the temperature squares the odds: 36, 9 and 1.
        let cold = Sampling {
            temperature: 0.5,
            ..all
        };
        close(
            share(cold, &mut rng),
            [0.0, 36.0 / 46.0, 9.0 / 46.0, 1.0 / 46.0],
        );
        let greedy = Sampling {
            temperature: 0.0,
            ..all
        };
        close(share(greedy, &mut rng), [0.0, 1.0, 0.0, 0.0]);
    }
}
